"""Docker Compose as this back end calls it, and what is said where Docker is missing."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from scenarios.backends.compose import watchdog
from scenarios.errors import Infrastructure

FILE = Path(__file__).parents[3] / "compose.yaml"
_ASK_S = 60


class Container(msgspec.Struct, frozen=True, rename="pascal"):
    """One line of ``docker compose ps``."""

    service: str
    state: str = ""
    health: str = ""


class Engine:
    """One project of Docker Compose: the containers and volumes of one back end."""

    def __init__(self, project: str, variables: Mapping[str, str], profiles: str) -> None:
        self.project = project
        self.variables = variables
        self.profiles = profiles

    def check(self) -> None:
        """Raise `Infrastructure` unless there is Docker, with Compose, and its engine answers."""
        if shutil.which("docker") is None:
            raise Infrastructure(
                "the compose back end needs Docker, and no `docker` is on PATH; install it, or take"
                " another --kind"
            )
        self._ask("version", "--format", "{{.Server.Version}}", what="the engine does not answer")
        self._ask("compose", "version", what="there is no `docker compose`, its plugin")

    def _ask(self, *arguments: str, what: str) -> None:
        done = subprocess.run(
            ["docker", *arguments], capture_output=True, text=True, check=False, timeout=_ASK_S
        )
        if done.returncode:
            said = (done.stderr or done.stdout).strip()[:400]
            raise Infrastructure(
                f"Docker: {what} (`docker {' '.join(arguments)}`: {said}); start or install it,"
                " or take another --kind"
            )

    def command(self, *arguments: str) -> list[str]:
        """Return the command that does something to this project."""
        profiles = ["--profile", self.profiles] if self.profiles else []
        return ["docker", "compose", "-f", str(FILE), "-p", self.project, *profiles, *arguments]

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a command: ours, and the variables of the file."""
        return {**os.environ, **self.variables, **more}

    def do(self, *arguments: str, **more: str) -> str:
        """Do something to this project and return what Compose says."""
        done = subprocess.run(
            self.command(*arguments),
            env=self.environment(more),
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,  # Ctrl-C is for us, who then stop the containers
        )
        if done.returncode:
            said = (done.stderr or done.stdout).strip()[-1500:]
            raise Infrastructure(f"`docker compose {' '.join(arguments)}` failed: {said}")
        return done.stdout

    def containers(self) -> list[Container]:
        """Return the containers of this project, running or not."""
        lines = self.do("ps", "--all", "--format", "json").strip()
        if lines.startswith("["):  # one array, before Compose 2.21
            return msgspec.json.decode(lines, type=list[Container])
        return [msgspec.json.decode(line, type=Container) for line in lines.splitlines()]

    def watch(self, log: Path) -> subprocess.Popen[bytes]:
        """Start a process that stops the containers when ours is gone, however that came."""
        with log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", watchdog.__file__, *self.command("down")],
                env=self.environment({}),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
