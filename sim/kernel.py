"""The kernel: SimPy's heap decides who runs next, greenlets let programs block.

Read `Kernel.run` first: everything else in ``sim`` ends there. Time is integer nanoseconds since
the start of the world. Events of the same time are ordered by a draw from the seed's tie stream,
so that ties are adversarial and repeatable; what is FIFO in reality makes itself FIFO by times.

**Faithful**: a crash is not an exception. The dead incarnation is fenced first, then its threads
are unwound; their ``finally`` blocks run, but every door refuses them.
**Simplified**: a program's own computing takes no simulated time, and its threads are switched
only where they block (at doors), never between two bytecodes.
"""

import gc
import random
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from heapq import heappop, heappush
from operator import attrgetter
from typing import Any

import simpy
from greenlet import getcurrent
from simpy.core import SimTime

from sim.entropy import Streams
from sim.errors import CapReached
from sim.process import Process, burying, current, outside, running
from sim.thread import Killed, Thread
from sim.timer import Timer
from sim.trace import Trace

__all__ = [
    "MICROSECOND",
    "MILLISECOND",
    "SECOND",
    "Kernel",
    "Killed",
    "Process",
    "Thread",
    "Timer",
    "current",
    "outside",
    "running",
]

MICROSECOND, MILLISECOND, SECOND = 10**3, 10**6, 10**9

URGENT, NORMAL = simpy.events.URGENT, simpy.events.NORMAL
_ROLL_BITS = 0xFF  # the schedule is rolled when a tie has none of them: once in 256 events
_COLLECT_EVERY = 200_000  # events between two garbage collections of a long run
_NORMAL = NORMAL << 32  # of a tie: the priority above, the draw below


class _Heap(simpy.Environment):
    """SimPy's environment with ties drawn from the seed."""

    def __init__(self, ties: random.Random) -> None:
        super().__init__(0)
        self._draw = ties.getrandbits

    def schedule(self, event: simpy.Event, priority: int = NORMAL, delay: SimTime = 0) -> None:
        """Queue `event`; among equals of one time and priority the draw decides."""
        tie = priority << 32 | self._draw(32)
        heappush(self._queue, (self._now + delay, tie, next(self._eid), event))  # type: ignore[misc]


class Kernel:
    """Runs plain blocking functions in simulated time.

    `max_events` and `max_ns` are caps: reaching one raises `CapReached`.
    """

    def __init__(
        self,
        seed: int,
        *,
        keep_trace: bool = False,
        max_events: int = 50_000_000,
        max_ns: int = 10**18,
    ) -> None:
        self.streams = Streams(seed)
        self.env = _Heap(self.streams.stream("kernel.ties"))
        self.trace = Trace(keep=keep_trace)
        self.read_clock: Callable[[], int] = partial(attrgetter("_now"), self.env)
        self.trace.clock = self.read_clock
        self.hub = getcurrent()
        self.max_events = max_events
        self.max_ns = max_ns
        self._collected_at = 0
        self.trouble: BaseException | None = None  # what ends the run at the next event
        self.processes: list[Process] = []
        self.births: list[Callable[[Process], None]] = []  # told of every new incarnation

    @property
    def now(self) -> int:
        """Nanoseconds since the start of the world."""
        return self.env._now  # type: ignore[return-value] # noqa: SLF001

    @property
    def events(self) -> int:
        """How many events have run."""
        return self.trace.steps

    def run(self, until: int | Callable[[], bool]) -> None:
        """Run events up to the time `until`, or until it returns true between two events."""
        self.hub = getcurrent()
        env, queue, schedule = self.env, self.env._queue, self.trace.schedule  # noqa: SLF001
        deadline = until if isinstance(until, int) else self.max_ns
        done = None if isinstance(until, int) else until
        note = schedule.append
        while queue:
            now, tie, number, event = heappop(queue)
            if now > deadline:
                heappush(queue, (now, tie, number, event))
                break
            env._now = now  # noqa: SLF001
            note(now)  # type: ignore[arg-type]
            note(tie)
            callbacks = event.callbacks
            event.callbacks = None  # type: ignore[assignment]
            for callback in callbacks:
                callback(event)
            if self.trouble is not None:
                raise self.trouble
            if not tie & _ROLL_BITS:
                self._house_keeping()
            if done is not None and done():
                return
        if done is None:
            env._now = max(self.now, deadline)  # noqa: SLF001
        elif queue:
            raise CapReached(f"{self.now / SECOND:.3f} s of virtual time")

    def _house_keeping(self) -> None:
        """Do every few hundred events what costs too much at each."""
        self.trace.roll()
        if self.events >= self.max_events:
            raise CapReached(f"{self.events} events, at {self.now / SECOND:.3f} s")
        if self.events - self._collected_at >= _COLLECT_EVERY:
            self._collected_at = self.events
            with burying():
                gc.collect()

    def stream(self, name: str) -> random.Random:
        """Return the random stream called `name` of this world's seed."""
        return self.streams.stream(name)

    def event(self) -> simpy.Event:
        """Return an event that somebody will `succeed`."""
        return simpy.Event(self.env)

    def wait(self, event: simpy.Event, timeout_ns: int | None = None) -> bool:
        """Block the calling thread until `event` has happened; False if `timeout_ns` came first."""
        if event.callbacks is None:
            return True
        thread = getcurrent()
        assert isinstance(thread, Thread), "only a simulated thread can block"
        wake = thread.wake
        event.callbacks.append(wake)
        if timeout_ns is None:
            thread.park()
            return True
        alarm = self._alarm(timeout_ns, wake)
        if thread.park() is event:
            if alarm.callbacks is not None:
                alarm.callbacks.clear()
            return True
        if event.callbacks is not None:
            event.callbacks.remove(wake)
            return False
        return True  # both at one instant: it did happen

    def sleep(self, delay_ns: int) -> None:
        """Block the calling thread for `delay_ns`."""
        thread = getcurrent()
        assert type(thread) is Thread, "only a simulated thread can block"
        env = self.env
        alarm = thread.alarm
        if alarm is None or alarm.callbacks is not None:  # the last one has yet to ring
            alarm = thread.alarm = _new(_Alarm)
        alarm.callbacks = [thread.wake]
        tie = _NORMAL | env._draw(32)  # noqa: SLF001
        heappush(env._queue, (env._now + delay_ns, tie, next(env._eid), alarm))  # type: ignore[misc] # noqa: SLF001
        thread.park()

    def _alarm(self, delay_ns: int, wake: Callable[[simpy.Event], None]) -> simpy.Event:
        """Wake a thread after a while: made by hand, because most waits are one of these."""
        env = self.env
        alarm = _new(_Alarm)
        alarm.callbacks = [wake]
        tie = _NORMAL | env._draw(32)  # noqa: SLF001
        heappush(env._queue, (env._now + delay_ns, tie, next(env._eid), alarm))  # type: ignore[misc] # noqa: SLF001
        return alarm

    def after(self, delay_ns: int, function: Callable[..., Any], *args: Any) -> Timer:
        """Call ``function(*args)`` from the loop, `delay_ns` from now."""
        return Timer(self.env, delay_ns, None, function, args)

    def kill(self, process: Process, code: int = -9) -> None:
        """End `process`: fence it now, unwind its threads from the loop.

        A thread that kills its own process goes on to its next door, which refuses it.
        """
        if not process.alive:
            return
        process.alive = False
        process.exit_code = code
        process.died_at = self.now
        self.trace.record("death", process.label, code)
        if current() is None:
            process.unwind()
        else:
            self.env.schedule(_Unwinding(self.env, process), URGENT)

    def pause(self, process: Process) -> None:
        """Stop `process` where it is (SIGSTOP): nothing of it runs until `resume`."""
        process.paused = True
        self.trace.record("pause", process.label)

    def resume(self, process: Process) -> None:
        """Let a paused process go on; what came for it meanwhile happens now, in order."""
        process.paused = False
        self.trace.record("resume", process.label)
        backlog, process.backlog = process.backlog, []
        for function, args in backlog:
            process.call(function, *args)

    def close(self) -> None:
        """Kill what still runs, so that nothing of this world acts after it."""
        self.hub = getcurrent()
        for process in self.processes:
            self.kill(process)
        self.env._queue.clear()  # noqa: SLF001


class _Alarm(simpy.Event):
    """Wakes one thread after a while; it has succeeded from the beginning, as a timeout has."""

    _value = None
    _ok = True


_new: Callable[[type[_Alarm]], _Alarm] = object.__new__


class _Unwinding(simpy.Event):
    """Unwinds a process that died inside one of its world's threads."""

    def __init__(self, env: simpy.Environment, process: Process) -> None:
        super().__init__(env)
        self._ok, self._value = True, None
        self.callbacks = [lambda _: process.unwind()]


_runs = 0


@contextmanager
def collecting_by_hand() -> Generator[None]:
    """Keep the garbage collector off, from the first run of an interpreter on.

    Finalisers must run at defined moments, and the collector's thresholds count what other runs
    have allocated. It stays off between runs as well: what a dead world leaves behind has
    finalisers that wait, and they must find every door closed. It is collected before the next run,
    while it is still in the processor's cache. What stays (caches, libraries loaded late, bodies of
    programs) would be walked through each time: after 1, 2, 4, 8 ... runs, what is there is set
    aside for ever.
    """
    global _runs
    gc.disable()
    with burying():
        gc.collect()
    if not _runs & (_runs - 1):
        gc.freeze()
    try:
        yield
    finally:
        _runs += 1
