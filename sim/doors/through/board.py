"""The board: counters in a file that stage and program both have mapped.

It outlives the program, however it dies: counts go on in the next incarnation.
"""

import mmap
from enum import IntEnum
from pathlib import Path
from typing import Self


class Cell(IntEnum):
    """What is kept of each rule."""

    ARMED = 0  # 1 while calls count; written by the stage
    SEEN = 1  # calls that matched since it was armed
    CAME = 2  # the pid of the process that makes the chosen call, from then on
    GO = 3  # 1 when the harm is done and the call may go on; written by the stage
    LEFT = 4  # how many more calls fail; set by the stage, counted down by the program
    BITES = 5  # calls that failed, found no space or were slowed down


class Clock(IntEnum):
    """What is kept of the clock; all in ns but DRIFT_PPB, and written by the stage but READS."""

    VERSION = 0  # odd while the stage writes
    OFFSET = 1  # of the wall clock
    GAINED = 2  # by drift that ended
    DRIFT_PPB = 3
    SINCE = 4  # the true monotonic time at which the drift began
    READS = 5  # how often a wrong time was read


_WIDTH = 8  # cells of a rule, and of the clock, which comes first
_BYTES = 8  # of a cell


class Board:
    """Cells of 64 bits, shared by all who open the same file."""

    def __init__(self, path: str | Path, rules: int) -> None:
        size = (1 + rules) * _WIDTH * _BYTES
        with open(path, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), size)
        self.cells = memoryview(self._map).cast("q")

    @classmethod
    def make(cls, path: Path, rules: int) -> Self:
        """Make the file, all cells 0."""
        path.write_bytes(bytes((1 + rules) * _WIDTH * _BYTES))
        return cls(path, rules)

    def get(self, rule: int, cell: Cell) -> int:
        """Read a cell of a rule."""
        return self.cells[(1 + rule) * _WIDTH + cell]

    def put(self, rule: int, cell: Cell, value: int) -> None:
        """Write a cell of a rule."""
        self.cells[(1 + rule) * _WIDTH + cell] = value

    def close(self) -> None:
        """Let go of the file."""
        self.cells.release()
        self._map.close()

    def clock(self, cell: Clock) -> int:
        """Read a cell of the clock."""
        return self.cells[cell]

    def set_clock(self, values: dict[Clock, int]) -> None:
        """Write several cells of the clock, as one to whoever reads them."""
        self.cells[Clock.VERSION] += 1
        for cell, value in values.items():
            self.cells[cell] = value
        self.cells[Clock.VERSION] += 1
