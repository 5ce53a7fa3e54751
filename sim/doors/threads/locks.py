"""``Lock`` and ``RLock``: one object is valid outside and in every simulated process.

Libraries make locks at import, outside, and use them inside. Outside, the real lock acts that
each carries; inside, only who holds it is noted. The free lock is the case that must be fast.
"""

from typing import Any

from greenlet import getcurrent

from sim import process as processes
from sim.doors import names
from sim.doors.threads.crowd import Contended
from sim.doors.threads.state import refuse
from sim.process import Process, current
from sim.thread import Thread

_make_lock, _make_rlock = names.allocate_lock, names.real_rlock


class Lock(Contended):
    """Stands in for `threading.Lock`."""

    __slots__ = ("__weakref__", "_real")

    def __init__(self) -> None:
        self._holder: Any = None
        self._count = 1
        self._real = _make_lock()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock, waiting in the world's time."""
        thread = getcurrent()
        if type(thread) is not Thread or processes._outside:
            return self._real.acquire(blocking, timeout)
        process = thread.process
        if not process.alive:
            refuse(process)
        if self._holder is None and timeout == -1:
            self._holder = process
            return True
        return self.wait_for(process, thread, blocking, timeout)

    def release(self) -> None:
        """Let the lock go; any thread of the process may."""
        thread = getcurrent()
        if type(thread) is not Thread or processes._outside:
            self._real.release()
            return
        process = thread.process
        if self._holder is process and process.alive:
            self._holder = None
        else:
            self._release(process)

    __enter__ = acquire

    def __exit__(self, *_: object) -> None:
        thread = getcurrent()
        if type(thread) is not Thread or processes._outside:
            self._real.release()
        elif self._holder is thread.process and thread.process.alive:
            self._holder = None
        else:
            self._release(thread.process)

    def _release(self, process: Process) -> None:
        if not process.alive:
            refuse(process)
        if self.owner_in(process) is None:
            raise RuntimeError("release unlocked lock")
        self.pass_on(process)

    def locked(self) -> bool:
        """Whether somebody holds it."""
        thread = current()
        if thread is None:
            return self._real.locked()
        return self.owner_in(thread.process) is not None

    def _at_fork_reinit(self) -> None:
        self.__init__()  # type: ignore[misc]

    acquire_lock, release_lock, locked_lock = acquire, release, locked

    def __repr__(self) -> str:
        return f"<{'locked' if self.locked() else 'unlocked'} _thread.lock object>"


class RLock(Contended):
    """Stands in for `threading.RLock`; its owner is a simulated thread."""

    __slots__ = ("__weakref__", "_real")

    def __init__(self) -> None:
        self._holder: Any = None
        self._count = 0
        self._real = _make_rlock()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock, once more if it is this thread's already."""
        thread = getcurrent()
        if type(thread) is not Thread or processes._outside:
            return self._real.acquire(blocking, timeout)
        process = thread.process
        if not process.alive:
            refuse(process)
        holder = self._holder
        if holder is None and timeout == -1:
            self._holder, self._count = thread, 1
            return True
        if holder is thread:
            self._count += 1
            return True
        if holder is not None and self.owner_in(process) is thread:
            self.set_count(process, self.count_in(process) + 1)
            return True
        return self.wait_for(thread, thread, blocking, timeout)

    def release(self) -> None:
        """Let the lock go once."""
        thread = getcurrent()
        if type(thread) is not Thread or processes._outside:
            self._real.release()
        elif self._holder is thread and thread.process.alive:
            self._count -= 1
            if not self._count:
                self._holder = None
        else:
            self._release(thread)

    __enter__ = acquire

    def __exit__(self, *_: object) -> None:
        thread = getcurrent()
        if type(thread) is not Thread or processes._outside:
            self._real.release()
        elif self._holder is thread and thread.process.alive:
            self._count -= 1
            if not self._count:
                self._holder = None
        else:
            self._release(thread)

    def _release(self, thread: Thread) -> None:
        process = thread.process
        if not process.alive:
            refuse(process)
        if self.owner_in(process) is not thread:
            raise RuntimeError("cannot release un-acquired lock")
        count = self.count_in(process) - 1
        if count:
            self.set_count(process, count)
        else:
            self.pass_on(process)

    # What Condition uses:

    def _is_owned(self) -> bool:
        thread = current()
        if thread is None:
            return self._real._is_owned()  # type: ignore[attr-defined,no-any-return]
        return self.owner_in(thread.process) is thread

    def _release_save(self) -> Any:
        thread = current()
        if thread is None:
            return self._real._release_save()  # type: ignore[attr-defined]
        if not self._is_owned():
            raise RuntimeError("cannot release un-acquired lock")
        count = self.count_in(thread.process)
        self.set_count(thread.process, 1)
        self.release()
        return count

    def _acquire_restore(self, saved: Any) -> None:
        thread = current()
        if thread is None:
            self._real._acquire_restore(saved)  # type: ignore[attr-defined]
        else:
            self.acquire()
            self.set_count(thread.process, saved)

    def _recursion_count(self) -> int:
        thread = current()
        if thread is None:
            return 0
        process = thread.process
        return self.count_in(process) if self.owner_in(process) is thread else 0

    def _at_fork_reinit(self) -> None:
        self.__init__()  # type: ignore[misc]

    def __repr__(self) -> str:
        thread = current()
        owner = None if thread is None else self.owner_in(thread.process)
        count = 0 if thread is None else self.count_in(thread.process)
        state = "locked" if owner is not None else "unlocked"
        name = "" if owner is None else owner.name
        return f"<{state} _thread.RLock object owner={name!r} count={count}>"
