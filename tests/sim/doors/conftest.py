"""Runs one body in a simulated process, or for real: most doors must not show the difference."""

from collections.abc import Callable
from typing import Any

import pytest

from sim.doors.install import attend
from sim.kernel import SECOND
from sim.process import Process
from sim.world import World


class Arena:
    """A world with two hosts, and what programs in it returned."""

    def __init__(self, seed: int = 1, *, keep_trace: bool = False) -> None:
        self.world = World(seed, keep_trace=keep_trace)
        self.kernel = self.world.kernel
        self.kernel.births.append(attend)
        self.world.add_host("a")
        self.world.add_host("b")
        self.results: dict[str, Any] = {}

    def launch(self, name: str, body: Callable[[], Any], host: str = "a") -> Process:
        def main() -> int:
            self.results[name] = body()
            return 0

        return self.world.hosts[host].launch(name, main)

    def run(self, body: Callable[[], Any], limit: int = 3600 * SECOND) -> Any:
        """Run `body` to its end; what it raised fails the test."""
        process = self.launch("body", body)
        self.kernel.run(lambda: not process.alive or self.kernel.now > limit)
        assert process.exit_code == 0, "\n".join(process.stderr)
        return self.results["body"]

    def digest(self) -> str:
        return self.kernel.trace.digest()


@pytest.fixture
def make_arena() -> Any:
    arenas = []

    def make(seed: int = 1, **more: Any) -> Arena:
        arenas.append(Arena(seed, **more))
        return arenas[-1]

    yield make
    for arena in arenas:
        arena.world.close()


@pytest.fixture
def arena(make_arena: Callable[..., Arena]) -> Arena:
    return make_arena()


@pytest.fixture(params=["real", "simulated"])
def run(request: pytest.FixtureRequest, make_arena: Callable[..., Arena]) -> Callable[..., Any]:
    """Run a body for real or simulated."""
    if request.param == "real":
        return lambda body: body()
    return lambda body: make_arena().run(body)
