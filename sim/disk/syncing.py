"""Syncing: how what is in the page cache becomes durable, in part, or not at all.

A sync is a mark when it begins, a wait that the caller does, and then whatever was written before
the mark: data that arrives during the wait is not covered.
"""

import random
from collections.abc import Callable

from sim.disk.cache import PageCache
from sim.disk.chance import Chance
from sim.disk.inode import RESIZE, Inode
from sim.disk.profile import PAGE, SECTOR, Profile

Mark = tuple[int, int, int]  # file operations, directory operations, power losses


class Syncing(PageCache):
    """A page cache over a drive that takes time and may fail."""

    def __init__(
        self,
        profile: Profile | str,
        stream: random.Random,
        capacity: int,
        chance: Chance | None,
    ) -> None:
        super().__init__(profile, stream, capacity, chance)
        self.slow_ns = 0  # added to every sync while a fault holds
        self.slowed = 0  # how many syncs that hit
        self.life = 0  # power losses so far

    def sync_ns(self) -> int:
        """Draw how long a sync takes."""
        profile = self.profile
        drawn = self.stream.expovariate(1.0) * (profile.sync_mean_ns - profile.sync_least_ns)
        self.slowed += self.slow_ns > 0
        return min(profile.sync_least_ns + int(drawn), profile.sync_most_ns) + self.slow_ns

    def mark(self, inode: Inode) -> Mark:
        """Return what a sync that begins now will make durable."""
        return inode.end, self.names.changes, self.life

    def sync(self, inode: Inode, mark: Mark, *, data_only: bool = False) -> None:
        """Make durable what was written before `mark`; `data_only` is fdatasync."""
        end, changes, life = mark
        if life != self.life:
            return
        names = self.names
        if inode.entries is not None:
            names.commit(changes, None if self.profile.ordered_journal else inode)
            return
        size = len(inode.durable)
        inode.apply(max(end - inode.first, 0))
        if names.journal and self.profile.sync_commits_names:
            new = any(step[2] is inode for change in names.journal for step in change.steps)
            if not data_only or len(inode.durable) != size or new:
                names.commit(changes)

    def sync_some(self, inode: Inode, part: float) -> None:
        """Make a drawn part of what is pending durable: a sync that a fault interrupts."""
        names, draw = self.names, self.stream.random
        if inode.entries is not None:
            names.commit(names.changes - sum(draw() >= part for _ in names.journal))
            return
        survivors = sum(draw() < part for _ in inode.pending)
        if self.profile.append in ("after-data", "after-blocks"):
            inode.apply(survivors)
            return
        for offset, what in list(inode.pending):
            if isinstance(what, bytes) and offset + len(what) <= len(inode.durable):
                _write_sectors(inode.durable, offset, what, lambda: draw() < part)

    def fail_sync(self, inode: Inode) -> None:
        """Let the write-back of what is pending fail: some of it is lost, all of it looks clean."""
        inode.failures += 1
        inode.failures_seen = False
        if inode.entries is not None or self.profile.sync_failure == "dirty":
            return
        if self.profile.sync_failure == "revert":
            self.used += len(inode.durable) - len(inode.data)
            inode.data = bytearray(inode.durable)
            inode.first, inode.pending = inode.end, []
            return
        pages = inode.touched_pages()
        lost = {page for page in pages if self.stream.random() < 0.5}
        lost.update(pages[-1:] if not lost else ())
        sizes = [what for what in inode.pending if what[0] == RESIZE]
        inode.first = inode.end
        inode.pending = [*sizes, (RESIZE, len(inode.data))]
        inode.stale |= lost
        for page in pages:
            whole = bytes(inode.data[page * PAGE : (page + 1) * PAGE])
            if page not in lost and whole:
                inode.pending.append((page * PAGE, whole))


def _write_sectors(
    durable: bytearray, offset: int, content: bytes, survives: Callable[[], bool]
) -> None:
    end = offset + len(content)
    for start in range(offset - offset % SECTOR, end, SECTOR):
        low, high = max(start, offset), min(start + SECTOR, end)
        if survives():
            durable[low:high] = content[low - offset : high - offset]
