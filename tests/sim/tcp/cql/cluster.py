"""CQL nodes as processes of their own, for tests: started, killed, started again."""

import json
import os
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any, Self

_places = count()


def own_address() -> str:
    """Return a loopback address of this process alone: nobody else's ports are in the way."""
    pid = os.getpid()
    return f"127.{64 + (pid >> 16) % 64}.{pid >> 8 & 255}.{pid & 255}"


class Nodes:
    """A cluster of `size` nodes on one address, each with a directory below `path`."""

    def __init__(self, path: Path, size: int = 1, **commitlog: object) -> None:
        self.path = path
        self.address = own_address()
        self.names = [f"db-{number}" for number in range(1, size + 1)]
        self.ports = {name: 20_000 + next(_places) for name in self.names}
        self.members = [
            {
                "name": name,
                "address": self.address,
                "port": self.ports[name],
                "peer_address": self.address,
                "peer_port": 10_000 + self.ports[name],
            }
            for name in self.names
        ]
        self.running: dict[str, subprocess.Popen[str]] = {}
        self.commitlog = commitlog

    def config(self, name: str, **changes: Any) -> Path:
        """Write the configuration of a node."""
        file = self.path / f"{name}.json"
        content = {
            "name": name,
            "data": str(self.path / name),
            "members": self.members,
            "commitlog": self.commitlog,
        }
        file.write_text(json.dumps(content | changes))
        return file

    def launch(self, name: str, **changes: Any) -> subprocess.Popen[str]:
        """Start a process; it may not be ready, or end at once."""
        command = [sys.executable, "-m", "sim.tcp", "cql", "--die-with-parent", "--config"]
        return subprocess.Popen(
            [*command, str(self.config(name, **changes))],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def start(self, *names: str) -> None:
        """Start nodes (all by default) and wait until they are ready."""
        for name in names or self.names:
            self.running[name] = self.launch(name)
        for name in names or self.names:
            out = self.running[name].stdout
            assert out is not None
            line = out.readline()
            assert line, self.running[name].communicate()[1]
            assert json.loads(line)["port"] == self.ports[name]

    def kill(self, name: str) -> None:
        """Kill a node as ``kill -9`` does."""
        process = self.running.pop(name)
        process.kill()
        process.communicate()

    def stop(self, name: str) -> tuple[int, str]:
        """End a node in good order; return its exit code and what it said."""
        process = self.running.pop(name)
        process.terminate()
        _, errors = process.communicate()
        return process.returncode, errors

    def refused(self, name: str, **changes: Any) -> tuple[int, str]:
        """Start a node that is to refuse; return its exit code and what it said."""
        process = self.launch(name, **changes)
        _, errors = process.communicate(timeout=30)
        return process.returncode, errors

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self.running):
            self.kill(name)
