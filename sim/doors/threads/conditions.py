"""``Condition``, ``Event`` and ``SimpleQueue``: waits of the kernel inside, the real thing outside.

**Faithful**: waiters are notified in the order in which they came (as CPython does), and what
they do next is a tie; waiters of a dead process are never notified in place of a living one.
"""

import threading
from collections import deque
from collections.abc import Iterable
from typing import Any

import simpy

from sim.doors import names
from sim.doors.clocks import true_ns
from sim.doors.threads.locks import Lock, RLock
from sim.kernel import SECOND
from sim.process import Process, running

_RealCondition = threading.Condition

_Waiter = tuple[Process, simpy.Event]


class Condition(_RealCondition):
    """Stands in for `threading.Condition`; Event, Semaphore, Barrier and Queue stand on it."""

    _lock: Any
    _waiters: Any

    def __init__(self, lock: Any = None) -> None:
        kind = type(lock)
        if lock is not None and kind is not Lock and kind is not RLock:
            super().__init__(lock)
        else:
            if lock is None:
                lock, kind = RLock(), RLock
            self._lock = lock
            self.acquire = lock.acquire  # type: ignore[method-assign]
            self.release = lock.release  # type: ignore[method-assign]
            if kind is RLock:
                self._release_save = lock._release_save
                self._acquire_restore = lock._acquire_restore
                self._is_owned = lock._is_owned
            self._waiters = []  # of real threads; a list has the methods that are used
        self._parked: list[_Waiter] = []

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until notified, or until `timeout` seconds have passed."""
        process = running()
        if process is None:
            return super().wait(timeout)
        if not self._owned_in(process):
            raise RuntimeError("cannot wait on un-acquired lock")
        kernel = process.kernel
        waiter = (process, kernel.event())
        self._parked.append(waiter)
        saved = self._release_save()
        notified = False
        try:
            if timeout is None:
                notified = kernel.wait(waiter[1])
            elif timeout > 0:
                notified = kernel.wait(waiter[1], true_ns(process, timeout))
            notified = notified or waiter[1].triggered
        finally:
            self._acquire_restore(saved)
            if not notified and waiter in self._parked:
                self._parked.remove(waiter)
        return notified

    def notify(self, n: int = 1) -> None:
        """Wake up to `n` of those who wait in this process."""
        process = running()
        if process is None:
            super().notify(n)
            return
        if not self._owned_in(process):
            raise RuntimeError("cannot notify on un-acquired lock")
        parked = self._parked
        if parked:
            for waiter in _first(n, process, parked):
                parked.remove(waiter)
                waiter[1].succeed()

    def notify_all(self) -> None:
        """Wake all who wait in this process."""
        self.notify(len(self._waiters) if running() is None else len(self._parked))

    def __enter__(self) -> bool:
        return self._lock.acquire()  # type: ignore[no-any-return]

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def _owned_in(self, process: Process) -> bool:
        lock = self._lock
        if type(lock) is Lock:
            return lock._holder is process or lock.owner_in(process) is not None
        return self._is_owned()  # type: ignore[no-any-return]


def _first(n: int, process: Process, parked: Iterable[_Waiter]) -> list[_Waiter]:
    mine = [waiter for waiter in parked if waiter[0] is process]
    return mine[:n]


def _park(process: Process, parked: list[_Waiter], timeout: float | None) -> bool:
    """Wait in `parked` until somebody takes the waiter out and wakes it; False at a timeout."""
    waiter = (process, process.kernel.event())
    parked.append(waiter)
    try:
        if timeout is None:
            return process.kernel.wait(waiter[1])
        if timeout > 0:
            process.kernel.wait(waiter[1], true_ns(process, timeout))
        return waiter[1].triggered
    finally:
        if not waiter[1].triggered and waiter in parked:
            parked.remove(waiter)


class Event(threading.Event):
    """Stands in for `threading.Event`; inside, threads never meet between two of its steps.

    Most events never see a real thread, so the condition for those is made when first needed.
    """

    def __init__(self) -> None:
        self._flag = False
        self._parked: list[_Waiter] = []

    @property
    def _cond(self) -> Condition:
        made: Condition | None = self.__dict__.get("_made")
        # `setdefault` is one step: threads that come at once get the same.
        return made or self.__dict__.setdefault("_made", Condition(Lock()))

    def set(self) -> None:
        """Let all go on who wait, and all who come."""
        process = running()
        if process is None:
            super().set()
            return
        self._flag = True
        parked = self._parked
        if parked:
            for waiter in _first(len(parked), process, parked):
                parked.remove(waiter)
                waiter[1].succeed()

    def clear(self) -> None:
        """Let those wait who come from now on."""
        if running() is None:
            super().clear()
        else:
            self._flag = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until set, or until `timeout` seconds have passed."""
        process = running()
        if process is None:
            return super().wait(timeout)
        return self._flag or _park(process, self._parked, timeout)


class SimpleQueue:
    """Stands in for the C class `queue.SimpleQueue`."""

    def __init__(self) -> None:
        self._items: deque[Any] = deque()
        self._ready = _RealCondition(names.allocate_lock())  # for real threads
        self._parked: list[_Waiter] = []

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Append an item; never blocks."""
        process = running()
        if process is None:
            with self._ready:
                self._items.append(item)
                self._ready.notify()
            return
        self._items.append(item)
        parked = self._parked
        if parked:
            for waiter in _first(1, process, parked):
                parked.remove(waiter)
                waiter[1].succeed()

    def put_nowait(self, item: Any) -> None:
        """Append an item."""
        self.put(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take the oldest item, waiting for one if `block`."""
        if timeout is not None and timeout < 0:
            raise ValueError("'timeout' must be a non-negative number")
        process = running()
        if process is None:
            with self._ready:
                if not self._items and block:
                    self._ready.wait_for(self._items.__len__, timeout)
                return self._take()
        kernel, wait = process.kernel, timeout
        deadline = None if timeout is None else kernel.now + true_ns(process, timeout)
        while not self._items and block:
            if deadline is not None:
                wait = (deadline - kernel.now) / SECOND
            if not _park(process, self._parked, wait):
                break
        return self._take()

    def _take(self) -> Any:
        if not self._items:
            raise _empty()
        return self._items.popleft()

    def get_nowait(self) -> Any:
        """Take the oldest item if there is one."""
        return self.get(block=False)

    def empty(self) -> bool:
        """Whether there is nothing in it, at this moment."""
        return not self._items

    def qsize(self) -> int:
        """Return how many items there are, at this moment."""
        return len(self._items)

    def __class_getitem__(cls, _: Any) -> Any:
        return cls


def _empty() -> Exception:
    import queue  # noqa: PLC0415 - queue itself takes locks at import

    return queue.Empty()
