"""One sequence of calls, two arms: the simulated files and those of this machine agree."""

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim.doors.files import stand_ins
from tests.sim.doors.files.computer import Computer

_S = stand_ins()  # outside a process these are the real functions

_NAMES = st.sampled_from(("a", "b", "d", "d/a", "d/b", "e", "e/a", "a/x", "none/x"))
_SLOTS = st.integers(0, 3)
_BYTES = st.binary(max_size=9).map(lambda some: some * 700)
_SIZES = st.sampled_from((0, 1, 5, 511, 512, 4096, 7000))
_FLAGS = st.sampled_from(
    (
        os.O_RDONLY,
        os.O_RDWR,
        os.O_WRONLY | os.O_CREAT,
        os.O_RDWR | os.O_CREAT,
        os.O_RDWR | os.O_CREAT | os.O_EXCL,
        os.O_RDWR | os.O_CREAT | os.O_TRUNC,
        os.O_RDWR | os.O_CREAT | os.O_APPEND,
        os.O_RDONLY | os.O_DIRECTORY,
        os.O_RDONLY | os.O_TRUNC,
    )
)
_LOCKS = st.sampled_from((fcntl.LOCK_SH, fcntl.LOCK_EX, fcntl.LOCK_UN)).map(
    lambda operation: operation | fcntl.LOCK_NB
)
_CALLS = st.one_of(
    st.tuples(st.just("open"), _SLOTS, _NAMES, _FLAGS),
    st.tuples(st.just("open"), _SLOTS, _NAMES, _FLAGS),
    st.tuples(st.just("write"), _SLOTS, _BYTES),
    st.tuples(st.just("pwrite"), _SLOTS, _BYTES, _SIZES),
    st.tuples(st.just("pwritev"), _SLOTS, st.lists(_BYTES, max_size=3), _SIZES),
    st.tuples(st.just("read"), _SLOTS, _SIZES),
    st.tuples(st.just("pread"), _SLOTS, _SIZES, _SIZES),
    st.tuples(st.just("lseek"), _SLOTS, st.integers(-9, 9000), st.integers(0, 2)),
    st.tuples(st.just("ftruncate"), _SLOTS, _SIZES),
    st.tuples(st.just("posix_fallocate"), _SLOTS, _SIZES, _SIZES),
    st.tuples(st.just("fsync"), _SLOTS),
    st.tuples(st.just("fdatasync"), _SLOTS),
    st.tuples(st.just("close"), _SLOTS),
    st.tuples(st.just("dup"), _SLOTS, _SLOTS),
    st.tuples(st.just("sendfile"), _SLOTS, _SLOTS, _SIZES),
    st.tuples(st.just("flock"), _SLOTS, _LOCKS),
    st.tuples(st.just("truncate"), _NAMES, _SIZES),
    st.tuples(st.just("stat"), _NAMES),
    st.tuples(st.just("fstat"), _SLOTS),
    st.tuples(st.just("unlink"), _NAMES),
    st.tuples(st.just("rename"), _NAMES, _NAMES),
    st.tuples(st.just("link"), _NAMES, _NAMES),
    st.tuples(st.just("mkdir"), _NAMES),
    st.tuples(st.just("rmdir"), _NAMES),
    st.tuples(st.just("listdir"), _NAMES),
    st.tuples(st.just("scandir"), _NAMES),
    st.tuples(st.just("chmod"), _NAMES, st.sampled_from((0o600, 0o755))),
    st.tuples(st.just("access"), _NAMES, st.sampled_from((os.F_OK, os.R_OK, os.X_OK))),
)


_PRELUDE: tuple[tuple[Any, ...], ...] = (
    ("mkdir", "d"),
    ("mkdir", "e"),
    ("open", 0, "a", os.O_RDWR | os.O_CREAT),
    ("open", 1, "b", os.O_RDWR | os.O_CREAT | os.O_APPEND),
    ("open", 2, "d/a", os.O_RDWR | os.O_CREAT),
    ("open", 3, "a", os.O_RDWR),
    ("write", 0, b"prelude" * 100),
    ("write", 1, b"other" * 1000),
)


class _Body:
    """The one body of both arms: makes the calls below `root` and notes what each gave."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.slots: dict[int, int] = {}
        self.directories: set[int] = set()

    def run(self, calls: list[tuple[Any, ...]]) -> list[Any]:
        _S["os.umask"](0o022)
        results = [self.attempt(*call) for call in (*_PRELUDE, *calls)]
        for number in sorted(self.slots.values()):
            _S["os.close"](number)
        return [*results, self.tree(self.root)]

    def attempt(self, call: str, *args: Any) -> Any:
        try:
            return getattr(self, call, self.plain)(*((call, *args) if call in _PLAIN else args))
        except OSError as error:
            return errno.errorcode[error.errno or 0], *map(
                self.short, (error.filename, error.filename2)
            )

    def short(self, path: Any) -> Any:
        return path.removeprefix(self.root) if isinstance(path, str) else path

    def plain(self, call: str, slot: int, *args: Any) -> Any:
        return _S[f"os.{call}"](self.slots.get(slot, 999_999), *args)

    def at(self, name: str) -> str:
        return f"{self.root}/{name}"

    def open(self, slot: int, name: str, flags: int) -> None:
        number = _S["os.open"](self.at(name), flags, 0o666)
        self.keep(slot, number)
        if _S["os.stat"](number).st_mode & 0o40000:
            self.directories.add(slot)

    def keep(self, slot: int, number: int) -> None:
        self.directories.discard(slot)
        if slot in self.slots:
            _S["os.close"](self.slots[slot])
        self.slots[slot] = number

    def dup(self, slot: int, other: int) -> None:
        if slot not in self.directories:
            self.keep(other, _S["os.dup"](self.slots.get(slot, 999_999)))

    def lseek(self, slot: int, position: int, how: int) -> Any:
        return None if slot in self.directories else self.plain("lseek", slot, position, how)

    def sendfile(self, slot: int, source: int, count: int) -> Any:
        if {slot, source} & self.directories or slot == source:
            return None
        target, other = self.slots.get(slot, 999_999), self.slots.get(source, 999_999)
        if 999_999 not in {target, other}:
            if _S["fcntl.fcntl"](target, fcntl.F_GETFL) & os.O_APPEND:
                return None  # refused by Linux for reasons of its own
            if _S["os.stat"](target).st_ino == _S["os.stat"](other).st_ino:
                return None  # what it reads of what it writes is the kernel's secret
        return _S["os.sendfile"](target, other, None, count)

    def close(self, slot: int) -> None:
        _S["os.close"](self.slots.pop(slot, 999_999))
        self.directories.discard(slot)

    def flock(self, slot: int, operation: int) -> None:
        _S["fcntl.flock"](self.slots.get(slot, 999_999), operation)

    def fstat(self, slot: int) -> Any:
        return self.seen(_S["os.fstat"](self.slots.get(slot, 999_999)))

    def stat(self, name: str) -> Any:
        return self.seen(_S["os.stat"](self.at(name)))

    def seen(self, found: os.stat_result) -> Any:
        if found.st_mode & 0o40000:
            return oct(found.st_mode)
        return oct(found.st_mode), found.st_size, found.st_nlink

    def truncate(self, name: str, size: int) -> None:
        _S["os.truncate"](self.at(name), size)

    def unlink(self, name: str) -> None:
        _S["os.unlink"](self.at(name))

    def rename(self, name: str, other: str) -> None:
        _S["os.rename"](self.at(name), self.at(other))

    def link(self, name: str, other: str) -> None:
        _S["os.link"](self.at(name), self.at(other))

    def mkdir(self, name: str) -> None:
        _S["os.mkdir"](self.at(name))

    def rmdir(self, name: str) -> None:
        _S["os.rmdir"](self.at(name))

    def listdir(self, name: str) -> list[str]:
        return sorted(_S["os.listdir"](self.at(name)))

    def scandir(self, name: str) -> list[Any]:
        with _S["os.scandir"](self.at(name)) as found:
            return sorted((entry.name, self.short(entry.path), entry.is_dir()) for entry in found)

    def chmod(self, name: str, mode: int) -> None:
        _S["os.chmod"](self.at(name), mode)

    def access(self, name: str, mode: int) -> bool:
        return _S["os.access"](self.at(name), mode)  # type: ignore[no-any-return]

    def tree(self, path: str) -> Any:
        """Return the content of everything below `path`, read through the calls."""
        if not _S["os.stat"](path).st_mode & 0o40000:
            with _S["io.open"](path, "rb") as file:
                return file.read()
        return {name: self.tree(f"{path}/{name}") for name in sorted(_S["os.listdir"](path))}


_PLAIN = (
    *("write", "pwrite", "pwritev", "read", "pread"),
    *("ftruncate", "posix_fallocate", "fsync", "fdatasync"),
)


def _real(body: Callable[[str], Any]) -> Any:
    root = tempfile.mkdtemp()
    try:
        return body(root)
    finally:
        shutil.rmtree(root)


@settings(max_examples=250, deadline=None)
@given(st.lists(_CALLS, max_size=40))
@example([("mkdir", "d"), ("open", 0, "d/a", 66), ("rename", "d", "d/a"), ("rename", "d", "e")])
def test_descriptors_and_names_agree_with_those_of_this_machine(
    calls: list[tuple[Any, ...]],
) -> None:
    def simulated() -> Any:
        _S["os.mkdir"]("/tmp/x")
        return _Body("/tmp/x").run(calls)

    expected = _real(lambda root: _Body(root).run(calls))
    assert Computer().run(simulated) == expected


_DEEDS = st.one_of(
    st.tuples(st.just("write"), st.text("ab\né", max_size=5).map(lambda some: some * 900)),
    st.tuples(st.just("read"), st.sampled_from((0, 1, 3, 5000, -1))),
    st.tuples(st.just("readline")),
    st.tuples(st.just("readlines")),
    st.tuples(st.just("seek"), st.sampled_from((0, 1, 4095, 4097, 9000))),
    st.tuples(st.just("end")),
    st.tuples(st.just("tell")),
    st.tuples(st.just("flush")),
    st.tuples(st.just("truncate")),
    st.tuples(st.just("size")),
)


def _stream(root: str, mode: str, buffering: int, deeds: list[tuple[Any, ...]]) -> list[Any]:
    binary = "b" in mode
    path = f"{root}/file"
    with _S["io.open"](path, "wb") as file:
        file.write(b"one\ntwo\n" * 1100)
    results: list[Any] = []
    try:
        file = _S["io.open"](path, mode, buffering)
    except (OSError, ValueError) as error:
        return [type(error).__name__]
    with file:
        wrote = False
        for name, *args in deeds:
            writes = name in {"write", "truncate"}
            try:
                if wrote != writes and not binary:
                    file.seek(0, 1)  # between reading and writing, as the C standard demands
                wrote = writes
                results.append(_deed(file, path, name, args, binary=binary))
            except (OSError, ValueError) as error:
                results.append(type(error).__name__)
    with _S["io.open"](path, "rb") as file:
        return [*results, file.read(), file.name.removeprefix(root)]


def _deed(file: Any, path: str, name: str, args: list[Any], *, binary: bool) -> Any:
    if name == "size" and "+" in file.mode:
        file.flush()  # C's one buffer for both ways is written out at other times
    if name == "size":
        return _S["os.stat"](path).st_size
    if name == "end":
        return file.seek(0, 2)
    if name == "seek" and not binary:
        return file.seek(0)
    if name == "write" and binary:
        return file.write(args[0].encode())
    if name == "truncate" and not binary:
        return file.truncate(5000)
    return getattr(file, name)(*args)


@settings(max_examples=250, deadline=None)
@given(
    st.sampled_from(("r", "w", "a", "x", "r+", "w+", "rb", "wb", "ab", "rb+", "wb+")),
    st.sampled_from((-1, -1, 0, 7, 5000)),
    st.lists(_DEEDS, max_size=12),
)
def test_file_objects_agree_with_those_of_this_machine(
    mode: str, buffering: int, deeds: list[tuple[Any, ...]]
) -> None:
    expected = _real(lambda root: _stream(root, mode, buffering, deeds))
    assert Computer().run(lambda: _stream("/tmp", mode, buffering, deeds)) == expected
