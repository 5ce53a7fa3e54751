"""Real time as stages count it: nanoseconds since the start, and what is to happen later."""

import time
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

_MILLISECOND, _SECOND = 10**6, 10**9


class Clock:
    """The time of one run; `tick` calls what is due, in the caller's thread."""

    def __init__(self) -> None:
        self._began_ns = time.monotonic_ns()
        self.epoch_ns = time.time_ns()
        self._later: list[tuple[int, int, Callable[..., object], tuple[object, ...]]] = []
        self._number = count()

    @property
    def now(self) -> int:
        """Nanoseconds since the start."""
        return time.monotonic_ns() - self._began_ns

    def monotonic_ns(self) -> int:
        """Return the machine's monotonic time, which all its processes share."""
        return time.monotonic_ns()

    def sleep(self, ns: int) -> None:
        """Let time pass."""
        if ns > 0:
            time.sleep(ns / _SECOND)

    def wall_ms(self) -> int:
        """Milliseconds since 1970."""
        return time.time_ns() // _MILLISECOND

    def after(self, delay_ns: int, call: Callable[..., object], *args: object) -> None:
        """Have `call` called by `tick`, not before `delay_ns` have passed."""
        heappush(self._later, (self.now + delay_ns, next(self._number), call, args))

    def tick(self) -> None:
        """Call everything that is due."""
        while self._later and self._later[0][0] <= self.now:
            _, _, call, args = heappop(self._later)
            call(*args)
