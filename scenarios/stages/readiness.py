"""Readiness: every program says itself that it works, a gateway over HTTP, too; on both stages.

Load and harm begin then. That a program comes up while others are at work is a matter of crashes.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from scenarios.deployment import READY, Deployment
from scenarios.readers import Connection

_PATIENCE_NS = 10**9
_LAST_WORDS = 500


class Program(Protocol):
    """A program that runs."""

    @property
    def label(self) -> str:
        """Its name, and which incarnation it is."""

    @property
    def stderr(self) -> Sequence[str]:
        """The lines that it wrote to standard error so far."""


def unready(
    deployment: Deployment,
    living: Callable[[str], Program | None],
    serves: Callable[[str], bool],
) -> Iterator[str]:
    """Yield the programs that have not begun to work, each with what it wrote last."""
    for role, names in deployment.roles:
        for name in names:
            program = living(name)
            if program is None:
                yield f"{name} does not run"
                continue
            said = "\n".join(program.stderr)
            if f'"event":"{READY[role]}"' not in said:
                yield f"{program.label}: {said[-_LAST_WORDS:]}"
            elif role == "gateway" and not serves(name):
                yield f"{program.label} does not serve: {said[-_LAST_WORDS:]}"


def answers(line: Connection) -> bool:
    """Ask a gateway, on a connection of its own, whether it is ready."""
    answer = line.request("GET", "/readyz", "", b"", _PATIENCE_NS)
    line.hang_up()
    return answer is not None and answer.status == 200
