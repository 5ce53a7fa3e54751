"""CQL nodes as processes of their own, for tests: started, killed, started again."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Self


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on right now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Nodes:
    """A cluster of `count` nodes on 127.0.0.1, each with a directory below `path`."""

    def __init__(self, path: Path, count: int = 1, **commitlog: object) -> None:
        self.path = path
        self.names = [f"db-{number}" for number in range(1, count + 1)]
        ports = free_ports(2 * count)
        self.members = [
            {"name": name, "port": ports[2 * i], "peer_port": ports[2 * i + 1]}
            for i, name in enumerate(self.names)
        ]
        self.ports: dict[str, int] = dict(zip(self.names, ports[::2], strict=True))
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
