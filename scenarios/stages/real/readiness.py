"""Readiness: every program says itself that it works, a gateway over HTTP, too."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from scenarios.deployment import READY
from scenarios.stages.real.connection import Connection

if TYPE_CHECKING:
    from scenarios.stages.real.town import RealTown

_PATIENCE_NS = 10**9


def unready(town: "RealTown") -> Iterator[str]:
    """Yield the programs that have not begun to work, each with what it wrote last."""
    for role, names in town.deployment.roles:
        for name in names:
            program = town.living(name)
            if program is None:
                yield f"{name} does not run"
            elif not program.said(READY[role]):
                yield f"{program.label}: " + "\n".join(program.stderr)[-500:]
            elif role == "gateway" and not _serves(town, name):
                yield f"{program.label} does not serve: " + "\n".join(program.stderr)[-500:]


def _serves(town: "RealTown", gateway: str) -> bool:
    line = Connection(town.gateway, (gateway,))
    answer = line.request("GET", "/readyz", "", b"", _PATIENCE_NS)
    line.hang_up()
    return answer is not None and answer.status == 200
