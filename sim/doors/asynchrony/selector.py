"""Where an event loop sleeps: a selector without descriptors, which waits on the kernel."""

import selectors
from collections.abc import Callable, Mapping
from typing import Any

from greenlet import getcurrent

from sim.doors.clocks import true_ns
from sim.kernel import MICROSECOND
from sim.process import Process
from sim.thread import Killed

_SPINS = 50  # rounds without a pause, after which others get a chance and time moves on


class KernelSelector(selectors.BaseSelector):
    """Waits for a time or for `wake`; both may come from the kernel's loop or another thread."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._wake: Callable[[None], None] | None = None  # set while the loop sleeps
        self._spins = 0
        self._sleeps = 0

    def select(self, timeout: float | None = None) -> list[Any]:
        """Sleep until woken or until `timeout` seconds have passed."""
        process = self._process
        if not process.alive:
            raise Killed
        if timeout is not None and timeout <= 0:
            self._spins += 1
            if self._spins >= _SPINS:
                self._spins = 0
                process.kernel.sleep(MICROSECOND)
            return []
        thread: Any = getcurrent()
        self._spins = 0
        self._sleeps += 1
        wake = self._wake = thread.wake
        alarm = None
        if timeout is not None:
            alarm = process.kernel.after(true_ns(process, timeout), wake, None)
        try:
            thread.park()
        finally:
            self._wake = None
            if alarm is not None:
                alarm.cancel()
        return []

    def wake(self) -> None:
        """Let the loop look at what is ready; from the kernel's loop this happens at once."""
        if self._wake is None:
            return
        if getcurrent() is self._process.kernel.hub:
            self._wake(None)
        else:
            self._process.after(0, self._wake_if_asleep, self._sleeps)

    def _wake_if_asleep(self, sleep: int) -> None:
        if self._wake is not None and self._sleeps == sleep:
            self._wake(None)

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Refuse: nothing in a world has a file descriptor that could become ready."""
        raise NotImplementedError("a simulated event loop watches no file descriptors")

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Refuse, as `register`."""
        raise KeyError(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """Return what is registered: nothing."""
        return {}

    def close(self) -> None:
        """Close: there is nothing to close."""
