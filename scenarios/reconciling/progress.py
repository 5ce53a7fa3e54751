"""One line for somebody who watches: what is being read, and how much of it was."""

import sys
import time
from collections.abc import Callable, Iterator
from typing import TextIO, TypeVar

T = TypeVar("T")

_EVERY = 1_000  # records between two looks at the clock
_PAUSE_S = 0.2


class Progress:
    """Writes over its own line on a terminal, and nothing elsewhere."""

    def __init__(
        self, stream: TextIO | None = None, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self.stream = stream or sys.stderr
        self.terminal = self.stream.isatty()
        self.now_s = now_s
        self._shown_s = now_s()

    def over(self, what: str, records: Iterator[T], of: int = 0) -> Iterator[T]:
        """Yield some records; `of` is how many they will be, 0 if nobody knows."""
        return self._watched(what, records, of) if self.terminal else records

    def _watched(self, what: str, records: Iterator[T], of: int) -> Iterator[T]:
        total = f" of {of:,}" if of else ""
        for count, record in enumerate(records, 1):
            if count % _EVERY == 0 and self.now_s() - self._shown_s >= _PAUSE_S:
                self._show(f"reading {what}: {count:,}{total}"[:78])
            yield record

    def _show(self, text: str) -> None:
        self._shown_s = self.now_s()
        self.stream.write(f"\r\033[K{text}")
        self.stream.flush()

    def done(self) -> None:
        """Take the line away."""
        if self.terminal:
            self._show("")
