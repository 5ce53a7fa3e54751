"""What the jvm back end needs of the machine: Java and Maven, and what to do where they miss."""

import re
import shutil
import subprocess
from dataclasses import dataclass

from scenarios.errors import Infrastructure

JAVA_MIN = 17


@dataclass(frozen=True, slots=True)
class Java:
    """A Java runtime that is new enough."""

    path: str
    version: str


def java() -> Java:
    """Return the Java on PATH; raise `Infrastructure` if there is none, or an old one."""
    advice = f"install Java {JAVA_MIN} or newer (Debian: apt install openjdk-17-jre-headless)"
    path = shutil.which("java")
    if path is None:
        raise Infrastructure(f"the jvm back end needs Java, and no `java` is on PATH; {advice}")
    done = subprocess.run([path, "-version"], capture_output=True, text=True, check=False)
    said = done.stderr + done.stdout
    found = re.search(r'version "(?:1\.)?(\d+)[^"]*"', said)
    if done.returncode or found is None:
        raise Infrastructure(f"`{path} -version` does not say its version: {said.strip()[:200]!r}")
    if int(found[1]) < JAVA_MIN:
        raise Infrastructure(f"{path} is Java {found[1]}, too old for the servers; {advice}")
    return Java(path, found[0].split('"')[1])


def maven() -> str:
    """Return the path of Maven; raise `Infrastructure` if there is none."""
    path = shutil.which("mvn")
    if path is None:
        raise Infrastructure(
            "the jvm back end fetches its servers with Maven once, and no `mvn` is on PATH;"
            " install it (Debian: apt install maven)"
        )
    return path
