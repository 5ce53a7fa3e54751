"""``os``: the calls that take several buffers, and those that copy between descriptors."""

import errno
import os
from collections.abc import Iterable
from typing import Any

from sim.doors.files.descriptors import pwrite, write
from sim.doors.files.hanging import door, refuse
from sim.doors.files.opened import Open, error_of
from sim.doors.files.table import files_of
from sim.process import Process


@door("os.writev")
def writev(process: Process, fd: int, buffers: Iterable[Any], /) -> int:
    return write(process, fd, b"".join(buffers))  # type: ignore[no-any-return]


@door("os.pwritev")
def pwritev(process: Process, fd: int, buffers: Iterable[Any], offset: int, flags: int = 0) -> int:
    dsync = getattr(os, "RWF_DSYNC", 0) | getattr(os, "RWF_SYNC", 0)
    if flags & ~dsync:
        refuse(process, f"called os.pwritev with flags {flags:#x}")
    done: int = pwrite(process, fd, b"".join(buffers), offset)
    if flags:
        files_of(process).get(fd).sync(process, data_only=True)
    return done


@door("os.readv")
def readv(process: Process, fd: int, buffers: Iterable[Any], /) -> int:
    opened = files_of(process).get(fd)
    done = _scatter(process, opened, buffers, opened.position)
    opened.position += done
    return done


@door("os.preadv")
def preadv(process: Process, fd: int, buffers: Iterable[Any], offset: int, flags: int = 0) -> int:
    return _scatter(process, files_of(process).get(fd), buffers, offset)


def _scatter(process: Process, opened: Open, buffers: Iterable[Any], offset: int) -> int:
    views = [memoryview(buffer).cast("B") for buffer in buffers]
    content = opened.read_at(process, offset, sum(len(view) for view in views))
    at = 0
    for view in views:
        piece = content[at : at + len(view)]
        view[: len(piece)] = piece
        at += len(piece)
    return len(content)


@door("os.sendfile")
def sendfile(
    process: Process, out_fd: int, in_fd: int, offset: int | None, count: int, *_: Any
) -> int:
    source = files_of(process).get(in_fd)
    if not files_of(process).get(out_fd).writable:
        raise error_of(errno.EBADF)
    start = source.position if offset is None else offset
    content = source.read_at(process, start, count)
    done: int = write(process, out_fd, content) if content else 0
    if offset is None:
        source.position += done
    return done


@door("os.copy_file_range")
def copy_file_range(
    process: Process,
    src: int,
    dst: int,
    count: int,
    offset_src: int | None = None,
    offset_dst: int | None = None,
) -> int:
    if offset_dst is not None:
        files = files_of(process)
        start = files.get(src).position if offset_src is None else offset_src
        content = files.get(src).read_at(process, start, count)
        return pwrite(process, dst, content, offset_dst)  # type: ignore[no-any-return]
    return sendfile(process, dst, src, offset_src, count)  # type: ignore[no-any-return]
