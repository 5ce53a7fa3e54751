"""What happens at a lock that is not simply free or held by one process: waiting, and sharing.

A lock that a library made at import is one object for all processes of all worlds. In reality
each process has its own, so each has its own seat in the crowd here.

**Faithful**: who is woken is not promised and therefore drawn; a thread that comes at the right
moment may take a lock before the one that was woken for it; a process that died holding a lock
holds it only for itself.
"""

import threading
from typing import Any

import simpy

from sim.doors.clocks import true_ns
from sim.doors.threads import state
from sim.process import Process
from sim.thread import Thread

Ticket = tuple[simpy.Event, Any]  # what wakes a waiter, and whom


class Seat:
    """The lock as one process sees it."""

    __slots__ = ("count", "owner", "waiters")

    def __init__(self, owner: Any, count: int) -> None:
        self.owner = owner  # the process that holds a Lock, the thread that holds an RLock
        self.count = count
        self.waiters: list[Ticket] = []


class Crowd(dict[Process, Seat]):
    """The seats of all processes that hold one lock or wait for it."""

    __slots__ = ()


class Contended:
    """A lock whose `_holder` is None (free), an owner (held, nobody waits) or a `Crowd`."""

    __slots__ = ("_count", "_holder")
    _holder: Any
    _count: int

    def wait_for(self, me: Any, thread: Thread, blocking: bool, timeout: float) -> bool:
        """Take the lock for `me` where the fast path could not; return whether it worked."""
        _check(blocking, timeout)
        process = thread.process
        if self._take(me, process):
            return True
        if not blocking or timeout == 0:
            return False
        deadline = None if timeout < 0 else process.kernel.now + true_ns(process, timeout)
        while True:
            ticket = (process.kernel.event(), me)
            if not self._queue_up(process, ticket, deadline):
                return False
            if ticket[0].value or self._take(me, process):
                return True

    def _queue_up(self, process: Process, ticket: Ticket, deadline: int | None) -> bool:
        """Wait until woken; False if `deadline` came first."""
        kernel, event = process.kernel, ticket[0]
        self._seat(process).waiters.append(ticket)
        try:
            kernel.wait(event, None if deadline is None else max(deadline - kernel.now, 0))
        except BaseException:  # what a signal's handler raises
            if process.alive:
                self._give_up(process, ticket)
            raise
        if not event.triggered:
            self._give_up(process, ticket)
        return event.triggered

    def pass_on(self, process: Process) -> None:
        """Release the lock of `process` and wake one who waits for it, if there are any."""
        seat = self._holder.get(process)
        if seat is None or seat.owner is None:
            raise RuntimeError("release unlocked lock")
        seat.owner, seat.count = None, 0
        if seat.waiters:
            bits = state.of(process).draw(16)
            event, me = seat.waiters.pop((bits >> 1) % len(seat.waiters))
            if bits & 1:  # handed over; else whoever comes first takes it
                seat.owner, seat.count = me, 1
            event.succeed(bool(bits & 1))
        self._thin_out()

    def owner_in(self, process: Process) -> Any:
        """Return who in `process` holds the lock; None if it is free there."""
        holder = self._holder
        if type(holder) is Crowd:
            seat = holder.get(process)
            return None if seat is None else seat.owner
        return holder if holder is not None and _process_of(holder) is process else None

    def count_in(self, process: Process) -> int:
        """Return how often the owner in `process` has taken the lock."""
        holder = self._holder
        if type(holder) is Crowd:
            seat = holder.get(process)
            return 0 if seat is None else seat.count
        return self._count if self.owner_in(process) is not None else 0

    def set_count(self, process: Process, count: int) -> None:
        """Note how often the owner in `process` has taken the lock."""
        if type(self._holder) is Crowd:
            self._holder[process].count = count
        else:
            self._count = count

    def _take(self, me: Any, process: Process) -> bool:
        holder = self._holder
        if type(holder) is Crowd:
            seat = self._seat(process)
            if seat.owner is None:
                seat.owner, seat.count = me, 1
                return True
            return False
        if holder is None or not _process_of(holder).alive:
            self._holder, self._count = me, 1
            return True
        if _process_of(holder) is not process:
            self._seat(process).owner = me
            self._seat(process).count = 1
            return True
        return False

    def _seat(self, process: Process) -> Seat:
        holder = self._holder
        if type(holder) is not Crowd:
            crowd = self._holder = Crowd()
            if holder is not None:
                crowd[_process_of(holder)] = Seat(holder, self._count)
            holder = crowd
        seat = holder.get(process)
        if seat is None:
            for other in [other for other in holder if not other.alive]:
                del holder[other]
            seat = holder[process] = Seat(None, 0)
        return seat

    def _give_up(self, process: Process, ticket: Ticket) -> None:
        seat = self._seat(process)
        if ticket in seat.waiters:
            seat.waiters.remove(ticket)
        elif ticket[0].value:  # it was handed over just now, and we cannot use it
            self.pass_on(process)
            return
        elif seat.owner is None and seat.waiters:  # woken for nothing: wake the next
            seat.waiters.pop(0)[0].succeed(False)
        self._thin_out()

    def _thin_out(self) -> None:
        """Drop empty seats, and the crowd itself if it is one owner without waiters, or none."""
        crowd = self._holder
        if type(crowd) is not Crowd:
            return
        for process in [process for process, seat in crowd.items() if _empty(process, seat)]:
            del crowd[process]
        if not crowd:
            self._holder = None
        elif len(crowd) == 1:
            (seat,) = crowd.values()
            if not seat.waiters and seat.owner is not None:
                self._holder, self._count = seat.owner, seat.count


def _check(blocking: bool, timeout: float) -> None:
    if not blocking and timeout != -1:
        raise ValueError("can't specify a timeout for a non-blocking call")
    if timeout < 0 and timeout != -1:
        raise ValueError("timeout value must be positive")
    if timeout > threading.TIMEOUT_MAX:
        raise OverflowError("timeout value is too large")


def _empty(process: Process, seat: Seat) -> bool:
    return not process.alive or (seat.owner is None and not seat.waiters)


def _process_of(owner: Any) -> Process:
    return owner.process if type(owner) is Thread else owner
