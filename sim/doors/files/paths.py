"""``os``: the calls that take a path. What walks trees and joins paths in ``os`` rests on these."""

import errno
import os
from collections.abc import Callable
from typing import Any, TypeVar

from sim.doors.files.devices import device
from sim.doors.files.hanging import REAL, door, refuse
from sim.doors.files.mounts import DEVICES, is_source
from sim.doors.files.opened import error_of, stat_of, truncate
from sim.doors.files.table import Files, files_of
from sim.process import Process, outside

T = TypeVar("T")


@door("os.stat")
def stat(
    process: Process, path: Any, *, dir_fd: int | None = None, follow_symlinks: bool = True
) -> os.stat_result:
    files = files_of(process)
    if isinstance(path, int):
        return files.get(path).stat()
    name = files.resolve(path, dir_fd)
    if is_source(name):
        with outside():
            real: os.stat_result = REAL["os.stat"](name, follow_symlinks=follow_symlinks)
            return real
    if name in DEVICES:
        return device(files.disk, name, os.O_RDONLY).stat()
    with _naming(path):
        return stat_of(files.disk.names.find(name))


@door("os.lstat")
def lstat(process: Process, path: Any, *, dir_fd: int | None = None) -> os.stat_result:
    return stat(process, path, dir_fd=dir_fd, follow_symlinks=False)  # type: ignore[no-any-return]


@door("os.access")
def access(
    process: Process,
    path: Any,
    mode: int,
    *,
    dir_fd: int | None = None,
    effective_ids: bool = False,
    follow_symlinks: bool = True,
) -> bool:
    try:
        found = stat(process, path, dir_fd=dir_fd)
    except OSError:
        return False
    files = files_of(process)
    if mode & os.W_OK and (files.disk.read_only or is_source(files.resolve(path, dir_fd))):
        return False
    return not mode & os.X_OK or bool(found.st_mode & 0o40111)


@door("os.mkdir")
def mkdir(process: Process, path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
    files = files_of(process)
    name = files.target(path, dir_fd)
    names = files.disk.names
    with _naming(path):
        made = _changing(
            files, "os.mkdir", name, lambda: names.create(name, mode & ~files.umask, directory=True)
        )
    made.modified_ns = made.changed_ns = process.host.clock.wall_ns()


@door("os.rmdir")
def rmdir(process: Process, path: Any, *, dir_fd: int | None = None) -> None:
    files = files_of(process)
    name = files.target(path, dir_fd)
    with _naming(path):
        _changing(files, "os.rmdir", name, lambda: files.disk.names.rmdir(name))


@door("os.unlink", "os.remove")
def unlink(process: Process, path: Any, *, dir_fd: int | None = None) -> None:
    files = files_of(process)
    name = files.target(path, dir_fd)
    with _naming(path):
        gone = _changing(files, "os.unlink", name, lambda: files.disk.names.unlink(name))
    files.disk.bury(name, gone)


@door("os.rename", "os.replace")
def rename(
    process: Process,
    src: Any,
    dst: Any,
    *,
    src_dir_fd: int | None = None,
    dst_dir_fd: int | None = None,
) -> None:
    files = files_of(process)
    source, target = files.target(src, src_dir_fd), files.target(dst, dst_dir_fd)
    disk = files.disk

    def act() -> None:
        change, replaced = disk.names.rename(source, target)
        if change is None:
            return
        moved = change.steps[0][2]
        if replaced is not None and disk.profile.replace_flushes and moved is not None:
            change.flushed = (moved, moved.end)
        process.kernel.trace.record("disk.names", process.host.name, "from", source)
        if replaced is not None:
            disk.forget(replaced)

    with _naming(src, dst):
        _changing(files, "os.rename", target, act)


@door("os.link")
def link(
    process: Process,
    src: Any,
    dst: Any,
    *,
    src_dir_fd: int | None = None,
    dst_dir_fd: int | None = None,
    follow_symlinks: bool = True,
) -> None:
    files = files_of(process)
    source, target = files.target(src, src_dir_fd), files.target(dst, dst_dir_fd)
    with _naming(src, dst):
        _changing(files, "os.link", target, lambda: files.disk.names.link(source, target))


def _changing(files: Files, call: str, name: str, act: Callable[[], T]) -> T:
    """Carry out a directory operation, its moment and its error."""
    process, disk = files.process, files.disk
    strike = process.moments and process.strike(call, name)
    if strike and strike.part < 0.5:
        strike.hit()
    if disk.rules and (rule := disk.failing(call, name)) is not None:
        raise error_of(rule.error)
    done = act()
    process.kernel.trace.record("disk.names", process.host.name, call, name)
    if strike and strike.part >= 0.5:
        strike.hit()
    return done


class _naming:
    """Lets an OSError name the paths as the program wrote them."""

    __slots__ = ("paths",)

    def __init__(self, *paths: Any) -> None:
        self.paths = paths

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if not isinstance(error, OSError):
            return
        number, (first, *second) = error.errno or errno.EIO, self.paths
        if second:
            raise OSError(number, os.strerror(number), first, None, second[0]) from None
        raise OSError(number, os.strerror(number), first) from None


@door("os.truncate")
def truncate_path(process: Process, path: Any, length: int) -> None:
    files = files_of(process)
    if isinstance(path, int):
        files.get(path).truncate(process, length)
        return
    name = files.target(path)
    with _naming(path):
        truncate(process, files.disk, files.disk.names.find(name), length)


@door("os.utime")
def utime(
    process: Process,
    path: Any,
    times: tuple[float, float] | None = None,
    *,
    ns: tuple[int, int] | None = None,
    dir_fd: int | None = None,
    follow_symlinks: bool = True,
) -> None:
    files = files_of(process)
    with _naming(path):
        if isinstance(path, int):
            inode = files.get(path).inode
        else:
            inode = files.disk.names.find(files.target(path, dir_fd))
    now = process.host.clock.wall_ns()
    if ns is not None:
        inode.modified_ns = ns[1]
    else:
        inode.modified_ns = now if times is None else round(times[1] * 10**9)
    inode.changed_ns = now


@door("os.chmod")
def chmod(
    process: Process,
    path: Any,
    mode: int,
    *,
    dir_fd: int | None = None,
    follow_symlinks: bool = True,
) -> None:
    files = files_of(process)
    with _naming(path):
        if isinstance(path, int):
            inode = files.get(path).inode
        else:
            inode = files.disk.names.find(files.target(path, dir_fd))
    inode.mode = inode.mode & ~0o7777 | mode & 0o7777
    inode.changed_ns = process.host.clock.wall_ns()


@door("os.fchmod")
def fchmod(process: Process, fd: int, mode: int) -> None:
    chmod(process, fd, mode)


@door("os.chown", "os.lchown", "os.fchown")
def chown(process: Process, path: Any, uid: int, gid: int, **_: Any) -> None:
    if {uid, gid} - {-1, 1000}:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM), path)
    stat(process, path)


@door("os.getcwd")
def getcwd(process: Process) -> str:
    return files_of(process).cwd


@door("os.getcwdb")
def getcwdb(process: Process) -> bytes:
    return os.fsencode(files_of(process).cwd)


@door("os.chdir", "os.fchdir")
def chdir(process: Process, path: Any) -> None:
    files = files_of(process)
    name = files.get(path).path if isinstance(path, int) else files.resolve(path)
    with _naming(path):
        if files.disk.names.find(name).entries is None:
            raise error_of(errno.ENOTDIR)
    files.cwd = name


@door("os.umask")
def umask(process: Process, mask: int, /) -> int:
    files = files_of(process)
    before, files.umask = files.umask, mask & 0o777
    return before


@door("os.statvfs", "os.fstatvfs")
def statvfs(process: Process, path: Any) -> os.statvfs_result:
    disk = files_of(process).disk
    stat(process, path)
    blocks, free = disk.capacity // 4096, max(disk.capacity - disk.used, 0) // 4096
    files = 1 << 20
    read_only = os.ST_RDONLY if disk.read_only else 0
    return os.statvfs_result(
        (4096, 4096, blocks, free, free, files, files, files, read_only, 255, 1)
    )


@door("os.readlink")
def readlink(process: Process, path: Any, *, dir_fd: int | None = None) -> str:
    name = files_of(process).resolve(path, dir_fd)
    if is_source(name):
        with outside():
            target: str = REAL["os.readlink"](name)
            return target
    stat(process, path, dir_fd=dir_fd)
    raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)


@door("os.listxattr", "os.getxattr", "os.setxattr", "os.removexattr")
def no_attributes(process: Process, path: Any, *_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP), path)


@door("os.symlink", "os.mkfifo", "os.mknod", "os.chroot")
def unmodelled(process: Process, *args: Any, **_: Any) -> Any:
    refuse(
        process,
        f"made a symbolic link, a fifo, a device or a root of its own {args!r}; "
        "the simulated disk has only files and directories",
    )
