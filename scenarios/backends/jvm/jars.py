"""The servers' jars: fetched by Maven once, kept in the user's cache under their versions.

A folder of the cache is complete or absent: it is made beside its place and renamed into it.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from scenarios.backends.jvm import toolchain
from scenarios.backends.jvm.toolchain import Java
from scenarios.errors import Infrastructure

SOURCE = Path(__file__).parents[3] / "backends"  # pom files and templates
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:{}:copy-dependencies"
_ARTEFACT = re.compile(r"artifact ([\w.-]+(?::[\w.-]+){2,3})")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Jars:
    """A complete folder of the cache, and the Java that runs what is in it."""

    folder: Path
    java: Java
    versions: Mapping[str, str]

    def class_path(self, server: str) -> str:
        """Return the class path of `server`, in the order that a class-data archive relies on."""
        return ":".join(str(jar) for jar in sorted((self.folder / server).glob("*.jar")))

    def archive(self, server: str) -> Path:
        """Return where the class-data archive of `server` is, or will be."""
        return self.folder / f"{server}-{self.java.version}.jsa"


def versions() -> dict[str, str]:
    """Return the properties of the pom file, as far as they are versions."""
    if not (SOURCE / "pom.xml").is_file():
        raise Infrastructure(
            f"the jvm back end reads {SOURCE / 'pom.xml'}, which is missing; run Wavetank from"
            " its source folder (`make setup` there)"
        )
    properties = ET.parse(SOURCE / "pom.xml").find("properties")
    assert properties is not None
    return {each.tag.removesuffix(".version"): (each.text or "").strip() for each in properties}


def cache() -> Path:
    """Return the cache folder of this user."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home, "wavetank", "jvm")


def fetch(say: Say) -> Jars:
    """Return the jars, fetched if they are not in the cache yet."""
    java, found = toolchain.java(), versions()
    poms = b"".join(path.read_bytes() for path in sorted(SOURCE.rglob("pom.xml")))
    key = hashlib.sha256(poms).hexdigest()[:8]
    folder = cache() / f"kafka-{found['kafka']}-cassandra-{found['cassandra']}-{key}"
    if not folder.is_dir():
        with locked(folder):
            if not folder.is_dir():
                say(f"fetching the servers with Maven, once: about 110 MB, into {folder.parent}")
                _resolve(folder, found["dependency-plugin"])
    return Jars(folder, java, found)


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """Hold the lock of a folder of the cache: what is made once is made by one."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(folder.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _resolve(folder: Path, plugin: str) -> None:
    maven = toolchain.maven()
    new = Path(tempfile.mkdtemp(prefix=folder.name, dir=folder.parent))
    try:
        shutil.copytree(SOURCE, new / "poms", ignore=_other_than_poms)
        done = subprocess.run(
            [maven, "-B", "-ntp", "-q", f"-Djars={new}", _COPY.format(plugin)],
            cwd=new / "poms",
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Infrastructure(_explain(done.stdout + done.stderr))
        shutil.rmtree(new / "poms")
        new.chmod(0o755)
        new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _other_than_poms(where: str, names: list[str]) -> list[str]:
    return [n for n in names if n != "pom.xml" and not Path(where, n).is_dir()]


def _explain(output: str) -> str:
    """Turn Maven's complaint into what is missing and what to do."""
    errors = [line for line in output.splitlines() if "ERROR" in line]
    why = re.sub(r"\x1b\[[\d;]*m|\[ERROR\]\s*", "", errors[0] if errors else output[-500:])
    found = _ARTEFACT.findall(why)
    what = f"could not fetch {found[-1]}" if found else "failed"
    return (
        f"Maven {what}; the first start needs the network, or a mirror in ~/.m2/settings.xml"
        " (what was fetched stays in ~/.m2/repository). Maven said:\n"
        f"{why.strip()[:800]}"
    )
