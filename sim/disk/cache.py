"""The page cache: contents of files as programs see them, within the space there is."""

import errno
import random

from sim.disk.chance import Chance, Drawn
from sim.disk.inode import RESIZE, Inode, resize
from sim.disk.names import Names, failure
from sim.disk.profile import PAGE, PROFILES, SECTOR, Profile

_LARGEST = 1 << 32  # bytes of a file: contents are held in memory, holes too


class PageCache:
    """Reads, writes and sizes of files; what is written here is pending until synced."""

    def __init__(
        self,
        profile: Profile | str,
        stream: random.Random,
        capacity: int,
        chance: Chance | None,
    ) -> None:
        self.profile = PROFILES[profile] if isinstance(profile, str) else profile
        self.stream = stream
        self.chance = chance or Drawn(stream)
        self.capacity = capacity
        self.used = 0
        self.refused = 0  # how many calls found no space
        self.names = Names(write_through=self.profile.write_through)

    def write(self, inode: Inode, offset: int, content: bytes) -> int:
        """Write into the page cache; return how much found space."""
        data, size = inode.data, len(content)
        end = offset + size
        grown = end - len(data)
        if grown > 0 and size:
            if self.used + grown > self.capacity or end > _LARGEST:
                content = self._what_fits(inode, offset, content)
                size, end = len(content), offset + len(content)
                grown = max(end - len(data), 0)
            self.used += grown
            if offset > len(data):
                data.extend(bytes(offset - len(data)))
        if not size:
            return 0
        if inode.undecided:
            self._decide(inode, offset, size)
        data[offset:end] = content
        inode.pending.append((offset, content))
        if inode.stale or inode.bad:
            self._write_over(inode, offset, end)
        if self.profile.write_through:
            inode.apply(len(inode.pending))
        return size

    def _what_fits(self, inode: Inode, offset: int, content: bytes) -> bytes:
        end = offset + len(content)
        if end > _LARGEST:
            raise failure(errno.EFBIG, inode.path)
        room = max(self.capacity - self.used, 0) + len(inode.data) - offset
        if room <= 0:
            self.refused += 1
            raise failure(errno.ENOSPC, inode.path)
        return content[:room]

    def _write_over(self, inode: Inode, start: int, end: int) -> None:
        """Dirty whole pages that a failed sync had given up; heal bad sectors written in full."""
        for page in range(start // PAGE, (end - 1) // PAGE + 1):
            if page in inode.stale:
                inode.stale.discard(page)
                whole = bytes(inode.data[page * PAGE : (page + 1) * PAGE])
                inode.pending.append((page * PAGE, whole))
        inode.bad -= set(range(-(-start // SECTOR), end // SECTOR))

    def read(self, inode: Inode, offset: int, size: int) -> bytes:
        """Read from the page cache or the drive; shorter at the end or before a bad sector."""
        if inode.undecided:
            self._decide(inode, offset, size)
        if inode.bad:
            sectors = range(offset // SECTOR, -(-(offset + size) // SECTOR))
            bad = min((sector for sector in inode.bad if sector in sectors), default=None)
            if bad is not None and bad * SECTOR <= offset < len(inode.data):
                raise failure(errno.EIO, inode.path)
            if bad is not None:
                size = min(size, bad * SECTOR - offset)
        return bytes(inode.data[offset : offset + size])

    def truncate(self, inode: Inode, size: int) -> None:
        """Set the size: cut, or fill up with zeros."""
        before = len(inode.data)
        if size == before:
            return
        if size > _LARGEST:
            raise failure(errno.EFBIG, inode.path)
        if self.used + size - before > self.capacity:
            self.refused += 1
            raise failure(errno.ENOSPC, inode.path)
        if inode.undecided:
            self._decide(inode, min(size, before), before)
        self.used += size - before
        resize(inode.data, size)
        inode.stale = {page for page in inode.stale if page * PAGE < size}
        inode.bad = {sector for sector in inode.bad if sector * SECTOR < size}
        inode.pending.append((RESIZE, size))
        if self.profile.write_through:
            inode.apply(len(inode.pending))

    def forget(self, inode: Inode) -> None:
        """Give the space of a file free if neither a name nor an open file holds it.

        Its content stays: the loss of its name may be undone by a loss of power.
        """
        if inode.links == 0 and inode.opens == 0 and inode.entries is None:
            self.used -= len(inode.data)

    def _decide(self, inode: Inode, offset: int, size: int) -> None:
        """Decide the undecided sectors of a range, now that somebody touches them."""
        unit = inode.unit
        for cell in range(offset // unit, (offset + max(size, 1) - 1) // unit + 1):
            options = inode.undecided.pop(cell, None)
            if options is not None:
                start = cell * unit
                choice = options[self.chance.pick(len(options))][: len(inode.durable) - start]
                inode.durable[start : start + len(choice)] = choice
                inode.data[start : start + len(choice)] = choice
