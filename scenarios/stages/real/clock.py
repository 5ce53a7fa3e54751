"""Real time as stages count it: nanoseconds since the start, and what is to happen later."""

import time
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

_MILLISECOND, _SECOND = 10**6, 10**9


class Agenda:
    """What is to happen, and when; what has the same time happens in the order of its adding."""

    def __init__(self) -> None:
        self._later: list[tuple[int, int, Callable[..., object], tuple[object, ...]]] = []
        self._number = count()

    def add(self, at_ns: int, call: Callable[..., object], *args: object) -> None:
        """Have `call` called at `at_ns`."""
        heappush(self._later, (at_ns, next(self._number), call, args))

    def call_due(self, now: Callable[[], int]) -> None:
        """Call everything whose time has come, also what is added meanwhile."""
        while self._later and self._later[0][0] <= now():
            _, _, call, args = heappop(self._later)
            call(*args)


class Clock:
    """The time of one run; `tick` calls what is due, in the caller's thread."""

    def __init__(self) -> None:
        self._began_ns = time.monotonic_ns()
        self.epoch_ns = time.time_ns()
        self._later = Agenda()

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
        self._later.add(self.now + delay_ns, call, *args)

    def tick(self) -> None:
        """Call everything that is due."""
        self._later.call_due(lambda: self.now)
