"""``sys.stdin``, ``sys.stdout``, ``sys.stderr``: lines kept for each process; the real ones out.

**Simplified**: what a process writes is never lost in a buffer, and nobody reads it slowly.
"""

import io
import sys
from typing import Any

from sim.doors.files.devices import say
from sim.process import Process, running

_NAMES = ("stdin", "stdout", "stderr")


class _Bytes(io.RawIOBase):
    """The ``buffer`` of a standard stream inside a process."""

    def __init__(self, number: int) -> None:
        self._number = number

    def writable(self) -> bool:
        """Say yes."""
        return True

    def write(self, data: Any) -> int:
        """Add bytes to what the process wrote."""
        raw = bytes(memoryview(data))
        process = running()
        if process is not None:
            say(process, self._number, raw.decode("utf-8", "backslashreplace"))
        return len(raw)

    def readable(self) -> bool:
        """Whether it is the input, which is at its end."""
        return self._number == 0


class _Text(io.TextIOBase):
    """A standard stream inside a process."""

    encoding = "utf-8"
    errors = "backslashreplace"
    mode = "w"

    def __init__(self, number: int) -> None:
        self._number = number
        self.name = f"<{_NAMES[number]}>"
        self.buffer = _Bytes(number)

    def write(self, text: str) -> int:
        """Add text to what the process wrote."""
        process = running()
        if process is not None:
            say(process, self._number, text)
        return len(text)

    def writable(self) -> bool:
        """Whether it is an output."""
        return self._number > 0

    def readable(self) -> bool:
        """Whether it is the input, which is at its end."""
        return self._number == 0

    def readline(self, size: int = -1) -> str:  # type: ignore[override]
        """Nothing to read."""
        return ""

    def read(self, size: int | None = -1) -> str:
        """Nothing to read."""
        return ""

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._number

    def isatty(self) -> bool:
        """Never."""
        return False

    def reconfigure(self, **_: Any) -> None:
        """Accept; there is no buffer to configure."""


class Standard:
    """Stands where ``sys.stdout`` does and passes on: to the process's stream or the real one."""

    def __init__(self, number: int, real: Any) -> None:
        self.__dict__["_inside"] = _Text(number)
        self.__dict__["_real"] = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real if running() is None else self._inside, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._real if running() is None else self._inside, name, value)

    def __iter__(self) -> Any:
        return iter(self._real if running() is None else self._inside)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave it open."""

    def write(self, text: str) -> int:
        """Write to whichever it is."""
        process = running()
        if process is None:
            return self._real.write(text)  # type: ignore[no-any-return]
        say(process, self._inside._number, text)
        return len(text)

    def flush(self) -> None:
        """Flush the real one."""
        if running() is None:
            self._real.flush()


def stand(_: Process | None = None) -> None:
    """Put the stand-ins over whatever stands there now; test runners change it all the time."""
    for number, name in enumerate(_NAMES):
        real = getattr(sys, name)
        if real is not None and type(real) is not Standard:
            setattr(sys, name, Standard(number, real))
