"""Harm to clocks: doors let Python's be wrong."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scenarios.stages.real.counterpart import Counterparts, door
from sim.doors.through.board import Clock
from sim.doors.through.clocks import gained_ns
from sim.faults import ClockDrift, ClockStep, Receipt

if TYPE_CHECKING:
    from scenarios.stages.real.town import RealTown

_MILLISECOND = 10**6


@contextmanager
def clock_step(fault: ClockStep, town: "RealTown") -> Generator[Receipt]:
    """Step on entry, step back on exit."""
    receipt = Receipt(fault.targets)
    board = town.doors[fault.host].board
    before = board.clock(Clock.READS)
    by_ns = fault.by_ms * _MILLISECOND
    board.set_clock({Clock.OFFSET: board.clock(Clock.OFFSET) + by_ns})
    try:
        yield receipt
    finally:
        board.set_clock({Clock.OFFSET: board.clock(Clock.OFFSET) - by_ns})
        reads = board.clock(Clock.READS) - before
        if reads:
            receipt.bite("wrong times read", reads)


@contextmanager
def clock_drift(fault: ClockDrift, town: "RealTown") -> Generator[Receipt]:
    """Drift as long as the block lasts; what was gained stays."""
    receipt = Receipt(fault.targets)
    board = town.doors[fault.host].board
    before = board.clock(Clock.READS)
    _drift_by(town, fault.host, fault.ppm * 1000)
    try:
        yield receipt
    finally:
        _drift_by(town, fault.host, -fault.ppm * 1000)
        reads = board.clock(Clock.READS) - before
        if reads:
            receipt.bite("wrong times read", reads)


def _drift_by(town: "RealTown", host: str, ppb: int) -> None:
    board = town.doors[host].board
    now_ns = town.clock.monotonic_ns()
    board.set_clock(
        {
            Clock.GAINED: gained_ns(board, now_ns),
            Clock.SINCE: now_ns,
            Clock.DRIFT_PPB: board.clock(Clock.DRIFT_PPB) + ppb,
        }
    )


COUNTERPARTS: Counterparts = {
    ClockStep: door("a door shifts Python's wall clock", clock_step),
    ClockDrift: door("a door lets Python's clocks drift", clock_drift),
}
