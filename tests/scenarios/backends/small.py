"""A back end whose servers are shell scripts: its owner can be tested without any real server."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from scenarios.backends.base import Role
from scenarios.backends.layout import Layout
from scenarios.backends.local import LocalBackend
from scenarios.backends.processes import ProcessServer
from scenarios.backends.supervisor import Supervisor

SERVES = "echo serving; exec sleep 600"


class Script(ProcessServer):
    script = SERVES

    def command(self) -> Sequence[str]:
        return ("sh", "-c", self.script)

    def wait_until_served(self) -> None:
        self.wait_for(lambda: self.said("serving"), timeout_s=20)


class Small(LocalBackend):
    kind: ClassVar[str] = "small"
    broker_uses: ClassVar[Sequence[str]] = ("clients",)
    node_uses: ClassVar[Sequence[str]] = ("clients",)
    disk_mib: ClassVar[int] = 1

    @property
    def versions(self) -> Mapping[str, str]:
        return {"sh": "1"}

    def prepare(self) -> None:
        pass

    def warm(self) -> None:
        pass

    def make_brokers(self, laid_out: Layout) -> Sequence[Script]:
        return [
            Script(name, Role.KAFKA, uses["clients"], self.folder / name)
            for name, uses in laid_out.brokers.items()
        ]

    def make_nodes(self, laid_out: Layout) -> Sequence[Script]:
        return [
            Script(name, Role.CQL, uses["clients"], self.folder / name)
            for name, uses in laid_out.nodes.items()
        ]


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    backend = Small(Path(sys.argv[1]), 1, 1)
    Supervisor(backend, say).run(lambda seen: say(f"phase {seen.phase}"))
    say("ended")
