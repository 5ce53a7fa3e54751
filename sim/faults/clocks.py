"""Faults of clocks: steps and drift."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from sim.bounds import demand
from sim.faults.base import HostFault, Receipt
from sim.kernel import MILLISECOND
from sim.world import World

_STEP_MS_MAX = 10**11  # three years; nanoseconds of wrong clocks have to fit into 64 bits
_DRIFT_PPM_MAX = 100_000  # beside the drift a clock has of its own: none may stand still


@dataclass(frozen=True, slots=True)
class ClockStep(HostFault):
    """The wall clock of `host` jumps by `by_ms`; healing sets it right again."""

    by_ms: int

    def __post_init__(self) -> None:
        demand(self, -_STEP_MS_MAX, _STEP_MS_MAX, "by_ms")

    @contextmanager
    def injected(self, world: World) -> Generator[Receipt]:
        """Step on entry, step back on exit."""
        receipt = Receipt(self.targets)
        clock = world.hosts[self.host].clock
        before = clock.reads
        clock.step(self.by_ms * MILLISECOND)
        world.kernel.trace.record("clock-step", self.host, self.by_ms)
        try:
            yield receipt
        finally:
            clock.step(-self.by_ms * MILLISECOND)
            if clock.reads > before:
                receipt.bite("wrong times read", clock.reads - before)


@dataclass(frozen=True, slots=True)
class ClockDrift(HostFault):
    """Both clocks of `host` run fast (> 0) or slow by `ppm`, and nobody corrects them."""

    ppm: int

    def __post_init__(self) -> None:
        demand(self, -_DRIFT_PPM_MAX, _DRIFT_PPM_MAX, "ppm")

    @contextmanager
    def injected(self, world: World) -> Generator[Receipt]:
        """Drift for as long as the block lasts; what it gained or lost stays."""
        receipt = Receipt(self.targets)
        clock = world.hosts[self.host].clock
        before = clock.reads
        clock.drift_by(self.ppm * 1000)
        world.kernel.trace.record("clock-drift", self.host, self.ppm)
        try:
            yield receipt
        finally:
            clock.drift_by(-self.ppm * 1000)
            if clock.reads > before:
                receipt.bite("wrong times read", clock.reads - before)
