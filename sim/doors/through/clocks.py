"""Clocks: Python's ``time`` module, wrong by what the board says."""

import sys
import time
from typing import Any

from sim.doors.through.board import Board, Clock

_SECOND = 10**9
_monotonic_ns = time.monotonic_ns


def gained_ns(board: Board, now_ns: int) -> int:
    """Return by how much both clocks are ahead, `now_ns` being the true monotonic time."""
    drift = board.clock(Clock.DRIFT_PPB)
    if not drift:
        return board.clock(Clock.GAINED)
    return board.clock(Clock.GAINED) + (now_ns - board.clock(Clock.SINCE)) * drift // _SECOND


class Error:
    """How wrong the clocks are now: (wall, monotonic), in ns."""

    def __init__(self, board: Board) -> None:
        self.board = board

    def __call__(self) -> tuple[int, int]:
        """Read the board until nobody writes to it meanwhile."""
        board = self.board
        while True:
            version = board.clock(Clock.VERSION)
            gained = gained_ns(board, _monotonic_ns())
            offset = board.clock(Clock.OFFSET)
            if not version % 2 and version == board.clock(Clock.VERSION):
                break
        if offset or board.clock(Clock.DRIFT_PPB):
            board.cells[Clock.READS] += 1
        return offset + gained, gained


def install(board: Board) -> None:
    """Put wrong clocks in place, also where modules took the right ones by name."""
    error = Error(board)
    replaced: dict[int, Any] = {}
    for name, wall in (
        ("time", True),
        ("monotonic", False),
        ("perf_counter", False),
    ):
        for suffix, unit in (("_ns", 1), ("", _SECOND)):
            real = getattr(time, name + suffix)
            replaced[id(real)] = _wrong(real, error, at=0 if wall else 1, unit=unit)
    for module in list(sys.modules.values()):
        if not getattr(module, "__name__", "").startswith("sim.doors.through"):
            for key, value in list(vars(module).items()):
                if id(value) in replaced:
                    setattr(module, key, replaced[id(value)])


def _wrong(real: Any, error: Error, *, at: int, unit: int) -> Any:
    if unit == 1:
        return lambda: real() + error()[at]
    return lambda: real() + error()[at] / unit
