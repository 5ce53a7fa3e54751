"""The reactor: one thread per process that runs the driver's callbacks and timers."""

from collections import deque
from collections.abc import Callable
from typing import Any

from cassandra.connection import TimerManager

from sim.kernel import Timer
from sim.process import Process, current


class Reactor:
    """Takes what the network brings, from the loop; runs it in the driver's own thread."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.subjects: dict[bytes, str] = {}  # prepared statement -> what moments call it
        self._calls: deque[tuple[Callable[..., Any], tuple[Any, ...]]] = deque()
        self._timers: Any = TimerManager()
        self._armed: Timer | None = None
        self._armed_at = 0.0
        self._idle = False
        self._thread = process.spawn(self._run, name="cassandra-reactor", daemon=True)

    def post(self, function: Callable[..., Any], *args: Any) -> None:
        """Have the thread call ``function(*args)``; meant for the loop, never blocks."""
        self._calls.append((function, args))
        self._go()

    def add_timer(self, timer: Any) -> None:
        """Have a timer of the driver's finish when its time has come."""
        self._timers.add_timer(timer)
        if self._armed is None or timer.end < self._armed_at:
            self._arm(timer.end)

    def _go(self) -> None:
        if self._idle:
            self._idle = False
            self._thread.wake(None)

    def _arm(self, end: float) -> None:
        if self._armed is not None:
            self._armed.cancel()
        clock = self.process.host.clock
        delay = clock.true_delay(max(round(end * 1e9) - clock.wall_ns(), 0) + 1000)
        self._armed = self.process.after(delay, self._ring)
        self._armed_at = end

    def _ring(self) -> None:
        self._armed = None
        self._go()

    def _run(self) -> None:
        thread = current()
        assert thread is not None
        while True:
            while self._calls:
                function, args = self._calls.popleft()
                function(*args)
            if self._armed is None:
                end = self._timers.service_timeouts()
                if end is not None and (self._armed is None or end < self._armed_at):
                    self._arm(end)
            if not self._calls:
                self._idle = True
                thread.park()


def of(process: Process) -> Reactor:
    """Return the reactor of a process, started at the first use."""
    found: Reactor | None = process.doors.get("cassandra")
    if found is None:
        found = process.doors["cassandra"] = Reactor(process)
    return found
