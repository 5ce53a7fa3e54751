"""Open files: what a descriptor stands for. Here are the moments, errors and trace of file I/O."""

import errno
import os
from typing import Any

from sim.disk import BYTES_KEPT, Disk, Inode, Interrupted
from sim.doors.files import locks
from sim.process import Process, Strike


def error_of(number: int) -> OSError:
    """Return the OSError of a call that has no path."""
    return OSError(number, os.strerror(number))


class Open:
    """An open file of the simulated disk; descriptors made by ``dup`` share it."""

    __slots__ = (
        "append",
        "disk",
        "failures",
        "inode",
        "life",
        "position",
        "readable",
        "references",
        "synced",
        "writable",
    )

    def __init__(self, disk: Disk, inode: Inode, flags: int) -> None:
        access = flags & os.O_ACCMODE
        self.disk = disk
        self.inode = inode
        self.readable = access != os.O_WRONLY
        self.writable = access != os.O_RDONLY
        self.append = bool(flags & os.O_APPEND)
        self.synced = bool(flags & (os.O_SYNC | os.O_DSYNC))
        self.position = 0
        self.references = 0
        self.life = disk.life
        # A failure that nobody has been told of is reported to the next who opens the file.
        self.failures = inode.failures if inode.failures_seen else -1
        inode.opens += 1

    @property
    def path(self) -> str:
        """The name last given to the file."""
        return self.inode.path

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return len(self.inode.data)

    def read_at(self, process: Process, offset: int, size: int) -> bytes:
        """Read up to `size` bytes."""
        if not self.readable:
            raise error_of(errno.EBADF)
        inode = self.inode
        if inode.entries is not None:
            raise error_of(errno.EISDIR)
        strike = process.moments and process.strike("os.read", inode.path)
        if strike and strike.part < 1:
            strike.hit()
        if self.disk.rules:
            rule = self.disk.failing("os.read", inode.path)
            if rule is not None and rule.short is None:
                raise error_of(rule.error)
            size = size if rule is None or rule.short is None else min(size, rule.short)
        content: bytes = _without_path(self.disk.read, inode, offset, size)
        if strike and strike.part >= 1:
            strike.hit()
        return content

    def write_at(self, process: Process, offset: int, content: Any) -> int:
        """Write what there is space for; return how many bytes."""
        if not self.writable:
            raise error_of(errno.EBADF)
        if self.disk.read_only:
            raise error_of(errno.EROFS)
        if type(content) is not bytes:
            content = bytes(memoryview(content))
        if process.moments and (strike := process.strike("os.write", self.inode.path)):
            return self._struck_write(process, strike, offset, content)
        return self._write(process, offset, content)

    def _write(self, process: Process, offset: int, content: bytes) -> int:
        inode, disk = self.inode, self.disk
        if disk.rules:
            rule = disk.failing("os.write", inode.path)
            if rule is not None and rule.short is None:
                raise error_of(rule.error)
            content = content if rule is None else content[: rule.short]
        try:
            done = disk.write(inode, offset, content)
        except OSError as error:
            raise error_of(error.errno or errno.EIO) from None
        if done != len(content):
            content = content[:done]
        host = process.host
        inode.modified_ns = inode.changed_ns = host.clock.wall_ns()
        process.kernel.trace.record("disk.write", host.name, inode.path, offset, content)
        if self.synced:
            self.sync(process, data_only=True)
        return done

    def _struck_write(self, process: Process, strike: Strike, offset: int, content: bytes) -> int:
        """Write the part before the harm, let it come, and finish if it returns."""
        part = int(len(content) * strike.part)
        done = self._write(process, offset, content[:part]) if part else 0
        self.disk.interrupted.append(
            Interrupted(
                path=self.path,
                call="os.write",
                offset=offset,
                done=done,
                asked=len(content),
                content=content[: done + BYTES_KEPT],
            )
        )
        strike.hit()
        if done == len(content):
            return done
        return done + self._write(process, offset + done, content[done:])

    def sync(self, process: Process, *, data_only: bool) -> None:
        """Make what was written durable; takes time."""
        disk, inode = self.disk, self.inode
        strike = process.moments and process.strike("os.fsync", inode.path)
        if strike and strike.part < 1:
            if strike.part > 0:
                disk.sync_some(inode, strike.part)
            strike.hit()
        rule = disk.failing("os.fsync", inode.path) if disk.rules else None
        mark = disk.mark(inode)
        process.kernel.sleep(disk.sync_ns())
        record, host = process.kernel.trace.record, process.host.name
        if rule is not None:
            disk.fail_sync(inode)
            self.failures = inode.failures
            inode.failures_seen = True
            record("disk.fsync", host, inode.path, rule.error)
            raise error_of(rule.error)
        disk.sync(inode, mark, data_only=data_only)
        record("disk.fsync", host, inode.path, 0)
        if self.failures != inode.failures:
            self.failures = inode.failures
            inode.failures_seen = True
            raise error_of(errno.EIO)
        if strike and strike.part >= 1:
            strike.hit()

    def truncate(self, process: Process, size: int) -> None:
        """Set the size."""
        if not self.writable:
            raise error_of(errno.EINVAL)
        truncate(process, self.disk, self.inode, size)

    def stat(self) -> os.stat_result:
        """Return what ``os.fstat`` returns."""
        return stat_of(self.inode)

    def dropped(self, process: Process) -> None:
        """Note that one descriptor is closed; the last one ends it."""
        if self.life != self.disk.life:
            return  # power was lost since: the inode has forgotten its openers
        if self.inode.locks is not None:
            locks.closed(self.inode, process, self, last=self.references == 1)
        self.references -= 1
        if self.references == 0:
            self.inode.opens -= 1
            self.disk.forget(self.inode)


def truncate(process: Process, disk: Disk, inode: Inode, size: int) -> None:
    """Set the size of a file, by path or descriptor."""
    if size < 0 or inode.entries is not None:
        raise error_of(errno.EINVAL if size < 0 else errno.EISDIR)
    strike = process.moments and process.strike("os.truncate", inode.path)
    if strike and strike.part < 0.5:
        strike.hit()
    rule = disk.failing("os.truncate", inode.path) if disk.rules else None
    if rule is not None:
        raise error_of(rule.error)
    _without_path(disk.truncate, inode, size)
    inode.modified_ns = inode.changed_ns = process.host.clock.wall_ns()
    process.kernel.trace.record("disk.truncate", process.host.name, inode.path, size)
    if strike and strike.part >= 0.5:
        strike.hit()


def _without_path(call: Any, *args: Any) -> Any:
    """Call, and raise its OSError as calls on a descriptor do."""
    try:
        return call(*args)
    except OSError as error:
        raise error_of(error.errno or errno.EIO) from None


def stat_of(inode: Inode) -> os.stat_result:
    """Return what ``os.stat`` returns for a file or directory of the disk."""
    size = len(inode.data) if inode.entries is None else 4096
    return stat_result(
        inode.mode, inode.number, inode.links, size, inode.modified_ns, inode.changed_ns
    )


def stat_result(
    mode: int, number: int, links: int, size: int, modified_ns: int, changed_ns: int
) -> os.stat_result:
    """Return a stat of the simulated file system, whose files all belong to user 1000."""
    modified, changed = modified_ns / 10**9, changed_ns / 10**9
    plain = (
        *(mode, number, 2049, links, 1000, 1000, size),
        *(modified_ns // 10**9, modified_ns // 10**9, changed_ns // 10**9),
    )
    exact = {
        "st_atime": modified,
        "st_mtime": modified,
        "st_ctime": changed,
        "st_atime_ns": modified_ns,
        "st_mtime_ns": modified_ns,
        "st_ctime_ns": changed_ns,
        "st_blksize": 4096,
        "st_blocks": -(-size // 512),
        "st_rdev": 0,
    }
    return os.stat_result(plain, exact)
