"""What the jvm back end needs of the machine: Java and Maven, and what to do where they miss."""

import re
import shutil
import subprocess
from dataclasses import dataclass

from scenarios.errors import Infrastructure

JAVA_MIN = 17  # Kafka's
JAVA_MAX = 23  # Cassandra still asks for a security manager


@dataclass(frozen=True, slots=True)
class Java:
    """A Java runtime that the servers run on."""

    path: str
    version: str


def java() -> Java:
    """Return the Java on PATH; raise `Infrastructure` if there is none, or a wrong one."""
    advice = (
        f"put one of Java {JAVA_MIN} to {JAVA_MAX} on PATH"
        " (Debian: apt install openjdk-17-jre-headless)"
    )
    path = shutil.which("java")
    if path is None:
        raise Infrastructure(f"the jvm back end needs Java, and no `java` is on PATH; {advice}")
    done = subprocess.run([path, "-version"], capture_output=True, text=True, check=False)
    said = done.stderr + done.stdout
    found = re.search(r'version "(?:1\.)?(\d+)[^"]*"', said)
    if done.returncode or found is None:
        raise Infrastructure(f"`{path} -version` does not say its version: {said.strip()[:200]!r}")
    if not JAVA_MIN <= int(found[1]) <= JAVA_MAX:
        what = "old" if int(found[1]) < JAVA_MIN else "new"
        raise Infrastructure(f"{path} is Java {found[1]}, too {what} for the servers; {advice}")
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
