"""``os``: the calls that take a file descriptor."""

import errno
import os
from typing import Any

from sim.disk import Inode
from sim.doors.files.devices import Device, Source, device
from sim.doors.files.hanging import door, refuse
from sim.doors.files.mounts import DEVICES, is_source
from sim.doors.files.opened import Open, error_of, truncate
from sim.doors.files.table import Files, files_of
from sim.process import Process

_UNMODELLED = {
    name: getattr(os, name, 0) for name in ("O_DIRECT", "O_PATH", "O_ASYNC")
}  # flags whose effect nobody simulates
_TMPFILE = getattr(os, "O_TMPFILE", 0)


@door("os.open")
def open_(
    process: Process, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None
) -> int:
    """Open a file of the disk, a device or a source file."""
    files = files_of(process)
    name = files.resolve(path, dir_fd)
    for flag, bits in _UNMODELLED.items():
        if bits and flags & bits == bits:
            refuse(process, f"opened {name} with {flag}, which nobody simulates")
    if _TMPFILE and flags & _TMPFILE == _TMPFILE:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP), path)
    if name in DEVICES:
        return files.add(device(files.disk, name, flags))
    if is_source(name):
        return files.add(_open_source(files, name, flags, path))
    strike = process.moments and process.strike("open", name)
    if strike and strike.part < 0.5:
        strike.hit()
    try:
        inode = _find(process, files, name, flags, mode)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None
    opened = Open(files.disk, inode, flags)
    number = files.add(opened)
    if flags & os.O_TRUNC and inode.data:
        truncate(process, files.disk, inode, 0)
    if strike and strike.part >= 0.5:
        strike.hit()
    return number


def _open_source(files: Files, name: str, flags: int, path: Any) -> Source:
    if flags & (os.O_ACCMODE | os.O_CREAT | os.O_TRUNC):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
    return Source(files.disk, name)


def _find(process: Process, files: Files, name: str, flags: int, mode: int) -> Inode:
    disk = files.disk
    if disk.rules and (rule := disk.failing("open", name)) is not None:
        raise error_of(rule.error)
    if len(files.table) >= 1024:
        raise error_of(errno.EMFILE)
    inode = disk.names.lookup(name)
    if inode is None:
        if not flags & os.O_CREAT:
            raise error_of(errno.ENOENT)
        return _create(process, files, name, mode)
    if flags & os.O_CREAT and flags & os.O_EXCL:
        raise error_of(errno.EEXIST)
    writes = flags & (os.O_ACCMODE | os.O_TRUNC)
    if inode.entries is not None and (writes or flags & os.O_CREAT):
        raise error_of(errno.EISDIR)
    if inode.entries is None and flags & os.O_DIRECTORY:
        raise error_of(errno.ENOTDIR)
    if disk.read_only and writes:
        raise error_of(errno.EROFS)
    return inode


def _create(process: Process, files: Files, name: str, mode: int) -> Inode:
    disk = files.disk
    if disk.read_only:
        raise error_of(errno.EROFS)
    inode = disk.names.create(name, mode & ~files.umask)
    inode.modified_ns = inode.changed_ns = process.host.clock.wall_ns()
    process.kernel.trace.record("disk.names", process.host.name, "create", name)
    return inode


@door("os.close")
def close(process: Process, fd: int) -> None:
    files_of(process).close(fd)


@door("os.closerange")
def closerange(process: Process, fd_low: int, fd_high: int, /) -> None:
    files = files_of(process)
    for number in sorted(files.table):
        if fd_low <= number < fd_high:
            files.close(number)


@door("os.dup")
def dup(process: Process, fd: int, /) -> int:
    files = files_of(process)
    return files.add(files.get(fd))


@door("os.dup2")
def dup2(process: Process, fd: int, fd2: int, inheritable: bool = True) -> int:
    files = files_of(process)
    opened = files.get(fd)
    if fd2 == fd:
        return fd
    if fd2 not in files.table:
        refuse(process, f"called os.dup2 onto {fd2}, which is not open")
    opened.references += 1
    files.table[fd2].dropped(process)
    files.table[fd2] = opened
    return fd2


@door("os.write")
def write(process: Process, fd: int, data: Any, /) -> int:
    opened = files_of(process).get(fd)
    offset = opened.size if opened.append else opened.position
    done = opened.write_at(process, offset, data)
    if done:
        opened.position = offset + done
    return done


@door("os.pwrite")
def pwrite(process: Process, fd: int, buffer: Any, offset: int, /) -> int:
    opened = files_of(process).get(fd)
    if offset < 0:
        raise error_of(errno.EINVAL)
    return opened.write_at(process, opened.size if opened.append else offset, buffer)


@door("os.read")
def read(process: Process, fd: int, length: int, /) -> bytes:
    opened = files_of(process).get(fd)
    if length < 0:
        raise error_of(errno.EINVAL)
    content = opened.read_at(process, opened.position, length)
    opened.position += len(content)
    return content


@door("os.pread")
def pread(process: Process, fd: int, length: int, offset: int, /) -> bytes:
    opened = files_of(process).get(fd)
    if length < 0 or offset < 0:
        raise error_of(errno.EINVAL)
    return opened.read_at(process, offset, length)


@door("os.lseek")
def lseek(process: Process, fd: int, position: int, how: int, /) -> int:
    opened = files_of(process).get(fd)
    if isinstance(opened, Device) and not isinstance(opened, Source):
        raise error_of(errno.ESPIPE)
    bases = {os.SEEK_SET: 0, os.SEEK_CUR: opened.position, os.SEEK_END: opened.size}
    target = bases.get(how, -1) + position
    if how not in bases or target < 0:
        raise error_of(errno.EINVAL)
    opened.position = target
    return target


@door("os.fsync")
def fsync(process: Process, fd: Any) -> None:
    files_of(process).get(_descriptor(fd)).sync(process, data_only=False)


@door("os.fdatasync")
def fdatasync(process: Process, fd: Any) -> None:
    files_of(process).get(_descriptor(fd)).sync(process, data_only=True)


@door("os.sync")
def sync(process: Process) -> None:
    disk = files_of(process).disk
    inodes = [inode for _, inode in disk.names.walk()]
    marks = [disk.mark(inode) for inode in inodes]
    process.kernel.sleep(disk.sync_ns())
    for inode, mark in zip(inodes, marks, strict=True):
        disk.sync(inode, mark)
    process.kernel.trace.record("disk.sync", process.host.name)


@door("os.ftruncate")
def ftruncate(process: Process, fd: int, length: int, /) -> None:
    files_of(process).get(fd).truncate(process, length)


@door("os.posix_fallocate")
def posix_fallocate(process: Process, fd: int, offset: int, length: int, /) -> None:
    opened = files_of(process).get(fd)
    if offset < 0 or length <= 0:
        raise error_of(errno.EINVAL)
    if not opened.writable:
        raise error_of(errno.EBADF)
    if offset + length > opened.size:
        opened.truncate(process, offset + length)


@door("os.posix_fadvise")
def posix_fadvise(process: Process, fd: int, offset: int, length: int, advice: int, /) -> None:
    files_of(process).get(fd)


@door("os.fstat")
def fstat(process: Process, fd: int) -> os.stat_result:
    return files_of(process).get(fd).stat()


@door("os.isatty")
def isatty(process: Process, fd: int, /) -> bool:
    return False


@door("os.get_terminal_size", "os.ttyname")
def no_terminal(process: Process, fd: int = 1, /) -> Any:
    raise error_of(errno.ENOTTY)


@door("os.get_inheritable")
def get_inheritable(process: Process, fd: int, /) -> bool:
    files_of(process).get(fd)
    return False


@door("os.set_inheritable", "os.set_blocking")
def set_flag(process: Process, fd: int, flag: int, /) -> None:
    files_of(process).get(fd)


@door("os.get_blocking")
def get_blocking(process: Process, fd: int, /) -> bool:
    files_of(process).get(fd)
    return True


def _descriptor(fd: Any) -> int:
    return fd if isinstance(fd, int) else fd.fileno()
