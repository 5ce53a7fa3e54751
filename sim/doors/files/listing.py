"""``os.listdir`` and ``os.scandir``: names in an order that no program may rely on."""

import errno
import os
import posixpath
from collections.abc import Iterator
from typing import Any, Self
from zlib import crc32

from sim.disk import Inode
from sim.doors.files.hanging import REAL, door
from sim.doors.files.mounts import is_source
from sim.doors.files.opened import stat_of
from sim.doors.files.table import Files, files_of
from sim.process import Process, outside, running


def _directory(files: Files, path: Any) -> Inode:
    if isinstance(path, int):
        found = files.get(path).inode
        path = files.get(path).path
    else:
        try:
            found = files.disk.names.find(files.resolve(path))
        except OSError as error:
            raise OSError(error.errno, error.strerror, path) from None
    if found.entries is None:
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
    return found


def _shuffled(directory: Inode) -> list[str]:
    """Return the names, in the order of a hash as ext4's directories have it."""
    salt = directory.number
    return sorted(directory.entries or (), key=lambda name: (crc32(name.encode(), salt), name))


def _source(files: Files, path: Any) -> str | None:
    """Return the real directory to read if `path` lies in the mount of sources."""
    if isinstance(path, int):
        return None
    name = files.resolve(path)
    return name if is_source(name + "/") else None


@door("os.listdir")
def listdir(process: Process, path: Any = None) -> list[Any]:
    files = files_of(process)
    path = "." if path is None else path
    real = _source(files, path)
    if real is not None:
        with outside():
            return list(REAL["os.listdir"](real))
    found = _shuffled(_directory(files, path))
    return [os.fsencode(name) for name in found] if isinstance(path, bytes) else found


class Entry:
    """What ``os.scandir`` yields (``os.DirEntry``)."""

    __slots__ = ("_inode", "name", "path")

    def __init__(self, inode: Inode, name: Any, path: Any) -> None:
        self._inode = inode
        self.name = name
        self.path = path

    def inode(self) -> int:
        """Return the inode number."""
        return self._inode.number

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is a directory."""
        return self._inode.entries is not None

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is a file."""
        return self._inode.entries is None

    def is_symlink(self) -> bool:
        """Never: this disk has none."""
        return False

    def is_junction(self) -> bool:
        """Never: they are Windows's."""
        return False

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Return the stat of what it names."""
        running()  # the dead read nothing
        return stat_of(self._inode)

    def __fspath__(self) -> Any:
        return self.path

    def __repr__(self) -> str:
        return f"<DirEntry {self.name!r}>"


class Entries:
    """The iterator that ``os.scandir`` returns; also a context manager."""

    def __init__(self, entries: list[Any]) -> None:
        self._entries = iter(entries)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self._entries)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Yield nothing more."""
        self._entries = iter(())


@door("os.scandir")
def scandir(process: Process, path: Any = None) -> Entries:
    files = files_of(process)
    path = "." if path is None else path
    real = _source(files, path)
    if real is not None:
        with outside(), REAL["os.scandir"](real) as found:
            return Entries(list(found))
    directory = _directory(files, path)
    entries: list[Any] = []
    for name in _shuffled(directory):
        shown: Any = os.fsencode(name) if isinstance(path, bytes) else name
        full = shown if isinstance(path, int) else posixpath.join(os.fspath(path), shown)
        assert directory.entries is not None
        entries.append(Entry(directory.entries[name], shown, full))
    return Entries(entries)
