"""``fcntl``: locks, and the little of ``fcntl.fcntl`` that programs use on files."""

import errno
import fcntl
import os
from typing import Any

from sim.doors.files.hanging import door, refuse
from sim.doors.files.locks import END, Lock, acquire
from sim.doors.files.opened import Open, error_of
from sim.doors.files.table import Files, files_of
from sim.process import Process

_OPERATIONS = {fcntl.LOCK_SH: False, fcntl.LOCK_EX: True}


def _opened(files: Files, fd: Any) -> Open:
    return files.get(fd if isinstance(fd, int) else fd.fileno())


@door("fcntl.flock")
def flock(process: Process, fd: Any, operation: int, /) -> None:
    opened = _opened(files_of(process), fd)
    if operation & fcntl.LOCK_UN:
        if opened.inode.locks is not None:
            opened.inode.locks.release(opened)
        return
    _take(process, opened, operation, Lock(opened, 0, END, exclusive=_exclusive(operation)))


@door("fcntl.lockf")
def lockf(
    process: Process, fd: Any, cmd: int, len: int = 0, start: int = 0, whence: int = 0, /
) -> None:
    opened = _opened(files_of(process), fd)
    start += (0, opened.position, opened.size)[whence]
    end = start + len if len else END
    if start < 0 or end < start:
        raise error_of(errno.EINVAL)
    if cmd & fcntl.LOCK_UN:
        if opened.inode.locks is not None:
            opened.inode.locks.release(process, start, end)
        return
    exclusive = _exclusive(cmd)
    if not (opened.writable if exclusive else opened.readable):
        raise error_of(errno.EBADF)
    _take(process, opened, cmd, Lock(process, start, end, exclusive=exclusive))


def _exclusive(operation: int) -> bool:
    wanted = operation & ~fcntl.LOCK_NB
    if wanted not in _OPERATIONS:
        raise error_of(errno.EINVAL)
    return _OPERATIONS[wanted]


def _take(process: Process, opened: Open, operation: int, lock: Lock) -> None:
    acquire(process, opened.inode, lock, wait=not operation & fcntl.LOCK_NB)


@door("fcntl.fcntl")
def control(process: Process, fd: Any, cmd: int, arg: Any = 0, /) -> Any:
    files = files_of(process)
    opened = _opened(files, fd)
    if cmd in {fcntl.F_DUPFD, fcntl.F_DUPFD_CLOEXEC}:
        return files.add(opened)
    if cmd == fcntl.F_GETFD:
        return fcntl.FD_CLOEXEC
    if cmd == fcntl.F_SETFD:
        return 0
    if cmd == fcntl.F_GETFL:
        both = opened.readable and opened.writable
        access = os.O_RDWR if both else os.O_WRONLY if opened.writable else os.O_RDONLY
        return access | (os.O_APPEND if opened.append else 0)
    if cmd != fcntl.F_SETFL:
        refuse(process, f"called fcntl.fcntl with command {cmd}, which nobody simulates")
    opened.append = bool(arg & os.O_APPEND)
    return 0


@door("fcntl.ioctl")
def ioctl(process: Process, fd: Any, request: int, *_: Any) -> Any:
    _opened(files_of(process), fd)
    raise error_of(errno.ENOTTY)
