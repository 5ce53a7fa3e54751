"""``sys.stdin``, ``stdout``, ``stderr`` and `print` of a process: lines are kept, none is read.

**Simplified**: nothing written is ever lost in a buffer, nobody reads it slowly, and there is no
input. Whatever C code prints by itself goes to the real streams.
"""

import builtins
import io
import sys
from typing import Any

from sim.process import Process, current, running

_real_print = builtins.print
_NAMES = ("stdin", "stdout", "stderr")


def say(process: Process, number: int, text: str) -> None:
    """Add `text` to what a process wrote; a line is added when it is complete."""
    rests: dict[int, str] = process.doors.setdefault("standard", {})
    *whole, rests[number] = (rests.get(number, "") + text).split("\n")
    if whole:
        lines_of(process, number).extend(whole)


def lines_of(process: Process, number: int) -> list[str]:
    """Return the lines that `process` wrote to standard output (1) or error (2)."""
    if number == 2:
        return process.stderr
    lines: list[str] = process.doors.setdefault("stdout", [])
    return lines


class _Bytes(io.RawIOBase):
    """The ``buffer`` of a standard stream."""

    def __init__(self, process: Process, number: int) -> None:
        self._process, self._number = process, number

    def writable(self) -> bool:
        """Whether it is an output."""
        return self._number > 0

    def readable(self) -> bool:
        """Whether it is the input, which is at its end."""
        return self._number == 0

    def readinto(self, _: Any) -> int:
        """Be at the end."""
        return 0

    def write(self, data: Any) -> int:
        """Add bytes to what the process wrote."""
        raw = bytes(memoryview(data))
        running()
        say(self._process, self._number, raw.decode("utf-8", "backslashreplace"))
        return len(raw)


class Stream(io.TextIOBase):
    """A standard stream of one process."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, process: Process, number: int) -> None:
        self._process, self._number = process, number
        self.name = f"<{_NAMES[number]}>"
        self.mode = "w" if number else "r"
        self.buffer = _Bytes(process, number)

    def write(self, text: str) -> int:
        """Add text to what the process wrote, unless it is dead."""
        running()
        say(self._process, self._number, text)
        return len(text)

    def writable(self) -> bool:
        """Whether it is an output."""
        return self._number > 0

    def readable(self) -> bool:
        """Whether it is the input, which is at its end."""
        return self._number == 0

    def read(self, size: int | None = -1) -> str:
        """Be at the end."""
        return ""

    def readline(self, size: int = -1) -> str:  # type: ignore[override]
        """Be at the end."""
        return ""

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._number

    def isatty(self) -> bool:
        """Whether a person sits at it: no."""
        return False

    def reconfigure(self, **_: Any) -> None:
        """Accept: there is no buffer to configure."""


def streams_of(process: Process) -> dict[str, Any]:
    """Return the three streams of a new incarnation, by their names in `sys`."""
    return {name: Stream(process, number) for number, name in enumerate(_NAMES)}


def print(  # noqa: A001 - the real name
    *values: object,
    sep: str | None = " ",
    end: str | None = "\n",
    file: Any = None,
    flush: bool = False,
) -> None:
    """Stand in for `print`, which does not ask the module `sys` for its stream."""
    if file is None and current() is not None:
        file = sys.stdout
    _real_print(*values, sep=sep, end=end, file=file, flush=flush)


def stand_ins() -> dict[str, object]:
    """Return the names this door replaces."""
    return {"builtins.print": print}
