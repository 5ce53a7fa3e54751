"""Advisory locks: ``flock`` by open file, ``lockf`` by process and range; the dead hold none."""

import errno
import os
from typing import TYPE_CHECKING, Any

import simpy

from sim.disk import Inode
from sim.process import Process

if TYPE_CHECKING:
    from sim.doors.files.opened import Open

END = 1 << 63


class Lock:
    """One lock: `owner` is the open file (flock) or the process (lockf)."""

    __slots__ = ("end", "exclusive", "owner", "start")

    def __init__(self, owner: Any, start: int, end: int, *, exclusive: bool) -> None:
        self.owner = owner
        self.start = start
        self.end = end
        self.exclusive = exclusive

    def bars(self, other: "Lock") -> bool:
        """Whether `other` cannot be held beside this one."""
        return (
            type(self.owner) is type(other.owner)
            and self.owner is not other.owner
            and (self.exclusive or other.exclusive)
            and self.start < other.end
            and other.start < self.end
        )


class Locks:
    """The locks on one inode and those who wait for them."""

    __slots__ = ("held", "waiting")

    def __init__(self) -> None:
        self.held: list[Lock] = []
        self.waiting: list[simpy.Event] = []

    def release(self, owner: Any, start: int = 0, end: int = END) -> None:
        """Give up what `owner` holds of a range; who waits looks again."""
        kept: list[Lock] = []
        for lock in self.held:
            if lock.owner is not owner or lock.end <= start or end <= lock.start:
                kept.append(lock)
                continue
            if lock.start < start:
                kept.append(Lock(owner, lock.start, start, exclusive=lock.exclusive))
            if end < lock.end:
                kept.append(Lock(owner, end, lock.end, exclusive=lock.exclusive))
        self.held = kept
        waiting, self.waiting = self.waiting, []
        for event in waiting:
            event.succeed()


def acquire(process: Process, inode: Inode, lock: Lock, *, wait: bool) -> None:
    """Take `lock`, in place of what its owner holds of the range; BlockingIOError if barred."""
    if inode.locks is None:
        inode.locks = Locks()
    locks: Locks = inode.locks
    if not isinstance(lock.owner, Process):
        locks.release(lock.owner)  # flock converts in two steps: what it held is lost if barred
    while any(held.bars(lock) for held in locks.held):
        if not wait:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        event = process.kernel.event()
        locks.waiting.append(event)
        process.kernel.wait(event)
    locks.release(lock.owner, lock.start, lock.end)
    locks.held.append(lock)
    kind = "exclusive" if lock.exclusive else "shared"
    process.kernel.trace.record("disk.lock", process.host.name, inode.path, kind)


def closed(inode: Inode, process: Process, opened: "Open", *, last: bool) -> None:
    """Release what a closed descriptor held: all of the process's ``lockf``, ``flock`` if last."""
    locks: Locks = inode.locks
    locks.release(process)
    if last:
        locks.release(opened)
