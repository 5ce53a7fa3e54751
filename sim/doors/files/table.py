"""What each incarnation has open: file descriptors, the current directory, the umask.

Descriptors are unique in a world and far above real ones, so that whatever a dead incarnation
still closes or a program hands to a real call hits nothing.
"""

import errno
import os
import weakref
from contextlib import suppress
from heapq import heappop, heappush
from typing import Any

from sim.disk import Disk
from sim.doors.files import mounts
from sim.doors.files.devices import Standard
from sim.doors.files.hanging import refuse
from sim.doors.files.opened import Open
from sim.process import Process

_FIRST = 1_000_000
_EACH = 10_000  # descriptors of one incarnation
_MOST = 1024  # open at a time, as `ulimit -n` says by default


class Files:
    """The files of one incarnation."""

    __slots__ = ("base", "buffers", "cwd", "disk", "free", "next", "process", "table", "umask")

    def __init__(self, process: Process) -> None:
        disk = process.host.disk
        if disk is None:
            refuse(process, f"uses files, but its host {process.host.name} has no disk")
        self.process = process
        self.disk: Disk = disk
        self.cwd = "/"
        self.umask = 0o022
        self.base = _FIRST + (process.pid - 1000) * _EACH
        self.free: list[int] = []
        self.next = self.base
        self.table: dict[int, Open] = {number: Standard(number, disk) for number in range(3)}
        self.buffers: dict[int, weakref.ref[Any]] = {}  # file objects, by descriptor
        process.on_death.append(self.release)
        process.at_exit.append(self.flush)

    def add(self, opened: Open) -> int:
        """Give `opened` the lowest free descriptor."""
        if len(self.table) >= _MOST:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        if self.free:
            number = heappop(self.free)
        else:
            number = self.next
            self.next += 1
        self.table[number] = opened
        opened.references += 1
        return number

    def close(self, number: int) -> None:
        """Close a descriptor; the last one of an open file releases its locks."""
        opened = self.table.pop(number, None)
        if opened is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        if number >= self.base:
            heappush(self.free, number)
        opened.dropped(self.process)

    def flush(self) -> None:
        """Flush the file objects that are still open, as the interpreter's orderly end does."""
        for number in sorted(self.buffers):
            stream = self.buffers[number]()
            if stream is not None and not stream.closed:
                with suppress(OSError):
                    stream.flush()

    def release(self) -> None:
        """Close everything: the incarnation is dead."""
        table, self.table = self.table, {}
        for opened in table.values():
            opened.dropped(self.process)

    def resolve(self, path: Any, dir_fd: int | None = None) -> str:
        """Return the absolute path of what a program calls `path`."""
        name = mounts.text(path)
        if not name:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        base = self.cwd
        if dir_fd is not None and name[0] != "/":
            base = self.get(dir_fd).path
        name = mounts.normal(name, base)
        mounts.refuse_kernel_files(self.process, name)
        return name

    def target(self, path: Any, dir_fd: int | None = None) -> str:
        """Resolve the path of something to change."""
        name = self.resolve(path, dir_fd)
        if self.disk.read_only or mounts.is_source(name) or name in mounts.DEVICES:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
        return name

    def get(self, number: int) -> Open:
        """Return the open file of a descriptor."""
        try:
            return self.table[number]
        except (KeyError, TypeError):
            pass
        if not hasattr(type(number), "__index__"):
            raise TypeError(f"an integer is required (got type {type(number).__name__})")
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def files_of(process: Process) -> Files:
    """Return the files of `process`, made at their first use."""
    files: Files | None = process.doors.get("files")
    if files is None:
        files = process.doors["files"] = Files(process)
    return files
