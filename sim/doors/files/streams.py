"""``open`` and the file objects it returns.

Buffering is Python's own pure-Python one (``_pyio``), which behaves as the C classes do, without
their locks: one thread that waits inside a C buffer would bar all others of the world. Text is
the real ``io.TextIOWrapper`` on top.
"""

import _pyio  # type: ignore[import-not-found,unused-ignore]
import errno
import io
import os
import warnings
from typing import Any

from sim.doors.files import descriptors
from sim.doors.files.hanging import door
from sim.doors.files.table import Files, files_of
from sim.process import Killed, Process

_BUFFER = 4096  # the block size of the simulated file system, as `open` takes it


class _NoLock:
    """Threads of a world switch only where they block, and nothing blocks inside a buffer."""

    def __enter__(self) -> None:
        """Nothing to take."""

    def __exit__(self, *_: object) -> None:
        """Nothing to release."""


_NO_LOCK = _NoLock()


class RawFile(io.RawIOBase):
    """An unbuffered file of one incarnation (``io.FileIO``)."""

    def __init__(self, files: Files, number: int, name: Any, mode: str, *, closes: bool) -> None:
        self._files = files
        self._number = number
        self._opened = files.get(number)
        self._closes = closes
        self.name = name
        self.mode = mode

    @property
    def _process(self) -> Process:
        """The process, to act for; whoever runs now may be its garbage collector."""
        process = self._files.process
        if not process.alive:
            process.refusals += 1
            raise Killed
        if self.closed:
            raise ValueError("I/O operation on closed file")
        return process

    def fileno(self) -> int:
        """Return the descriptor."""
        if self.closed:
            raise ValueError("I/O operation on closed file")
        return self._number

    def readable(self) -> bool:
        """Whether it was opened for reading."""
        self.fileno()
        return "r" in self.mode or "+" in self.mode

    def writable(self) -> bool:
        """Whether it was opened for writing."""
        self.fileno()
        return "r" not in self.mode or "+" in self.mode

    def seekable(self) -> bool:
        """Whether it has positions."""
        try:
            self.tell()
        except OSError:
            return False
        return True

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes in one call, or everything."""
        if not self.readable():
            raise io.UnsupportedOperation("File not open for reading")
        if size < 0:
            return self.readall()
        return descriptors.read(self._process, self._number, size)  # type: ignore[no-any-return]

    def readall(self) -> bytes:
        """Read until the end."""
        pieces = []
        while piece := self.read(max(self._opened.size - self._opened.position, 1)):
            pieces.append(piece)
        return b"".join(pieces)

    def readinto(self, buffer: Any) -> int:
        """Read into `buffer`."""
        view = memoryview(buffer).cast("B")
        content = self.read(len(view))
        view[: len(content)] = content
        return len(content)

    def write(self, data: Any) -> int:
        """Write what there is space for."""
        if not self.writable():
            raise io.UnsupportedOperation("File not open for writing")
        return descriptors.write(self._process, self._number, data)  # type: ignore[no-any-return]

    def seek(self, position: int, whence: int = 0) -> int:
        """Move to a position."""
        return descriptors.lseek(self._process, self._number, position, whence)  # type: ignore[no-any-return]

    def tell(self) -> int:
        """Return the position."""
        return self.seek(0, 1)

    def truncate(self, size: int | None = None) -> int:
        """Set the size, to the position by default."""
        if not self.writable():
            raise io.UnsupportedOperation("File not open for writing")
        wanted = self.tell() if size is None else size
        descriptors.ftruncate(self._process, self._number, wanted)
        return wanted

    def isatty(self) -> bool:
        """Never."""
        self.fileno()
        return False

    def close(self) -> None:
        """Close the descriptor; for a dead incarnation do nothing."""
        if self.closed:
            return
        super().close()
        process = self._files.process
        if not process.alive:
            process.refusals += 1
        elif self._closes and self._files.table.get(self._number) is self._opened:
            self._files.close(self._number)

    def __getstate__(self) -> Any:
        raise TypeError(f"cannot pickle {type(self).__name__!r} object")

    def __repr__(self) -> str:
        return f"<RawFile name={self.name!r} mode={self.mode!r}>"


class Reader(_pyio.BufferedReader):  # type: ignore[misc]
    """``io.BufferedReader``."""

    def __init__(self, raw: RawFile, size: int) -> None:
        super().__init__(raw, size)
        self._read_lock = _NO_LOCK


class Writer(_pyio.BufferedWriter):  # type: ignore[misc]
    """``io.BufferedWriter``."""

    def __init__(self, raw: RawFile, size: int) -> None:
        super().__init__(raw, size)
        self._write_lock = _NO_LOCK


class Both(_pyio.BufferedRandom):  # type: ignore[misc]
    """``io.BufferedRandom``."""

    def __init__(self, raw: RawFile, size: int) -> None:
        super().__init__(raw, size)
        self._read_lock = self._write_lock = _NO_LOCK


@door("io.open", "builtins.open")
def open_(  # noqa: PLR0913, PLR0917 - the real signature
    process: Process,
    file: Any,
    mode: str = "r",
    buffering: int = -1,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    closefd: bool = True,
    opener: Any = None,
) -> Any:
    """Open a file as the real ``open`` does; text is UTF-8 unless said otherwise."""
    if not isinstance(file, int):
        file = os.fspath(file)
    kind, binary = _mode(mode)
    if binary and (encoding is not None or errors is not None or newline is not None):
        raise ValueError("binary mode doesn't take an encoding, errors or newline argument")
    if not binary and buffering == 0:
        raise ValueError("can't have unbuffered text I/O")
    if buffering == 1 and binary:
        warnings.warn(
            "line buffering (buffering=1) isn't supported in binary mode, "
            "the default buffer size will be used",
            RuntimeWarning,
            3,
        )
    raw = _raw(process, file, kind, closefd=closefd, opener=opener)
    if buffering == 0:
        return raw
    try:
        layers = _buffered(raw, kind, _BUFFER if buffering in {-1, 1} else buffering)
        if binary:
            return layers
        lines = buffering == 1
        text = io.TextIOWrapper(layers, encoding or "utf-8", errors, newline, lines)
    except BaseException:
        raw.close()
        raise
    text.mode = mode  # type: ignore[misc]
    return text


def _mode(mode: Any) -> tuple[str, bool]:
    """Return what `mode` asks for, in the order of ``r+``, and whether it is binary."""
    if not isinstance(mode, str):
        raise TypeError(f"open() argument 'mode' must be str, not {type(mode).__name__}")
    letters = set(mode)
    if letters - set("axrwb+t") or len(mode) > len(letters):
        raise ValueError(f"invalid mode: {mode!r}")
    if len(letters & set("axrw")) != 1:
        raise ValueError("must have exactly one of create/read/write/append mode")
    if {"b", "t"} <= letters:
        raise ValueError("can't have text and binary mode at once")
    kind = (letters & set("axrw")).pop()
    return kind + ("+" if "+" in letters else ""), "b" in letters


_FLAGS = {"r": 0, "w": os.O_CREAT | os.O_TRUNC, "x": os.O_CREAT | os.O_EXCL}


def _raw(process: Process, file: Any, kind: str, *, closefd: bool, opener: Any) -> RawFile:
    files = files_of(process)
    shown = {"r": "rb", "r+": "rb+", "w+": "rb+", "x+": "xb+", "a+": "ab+"}.get(kind, kind + "b")
    if isinstance(file, int) and not isinstance(file, bool):
        if file < 0:
            raise ValueError("negative file descriptor")
        if files.get(file).inode.entries is not None:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), file)
        return RawFile(files, file, file, shown, closes=closefd)
    if not closefd:
        raise ValueError("Cannot use closefd=False with file name")
    access = os.O_RDWR if "+" in kind else os.O_RDONLY if kind == "r" else os.O_WRONLY
    flags = access | os.O_CLOEXEC | _FLAGS.get(kind[0], os.O_CREAT | os.O_APPEND)
    number = _descriptor(process, file, flags, opener)
    if files.get(number).inode.entries is not None:
        files.close(number)
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), file)
    raw = RawFile(files, number, file, shown, closes=True)
    if kind[0] == "a":
        raw.seek(0, 2)
    return raw


def _descriptor(process: Process, file: Any, flags: int, opener: Any) -> int:
    if opener is None:
        opened: int = descriptors.open_(process, file, flags, 0o666)
        return opened
    number = opener(file, flags)
    if not isinstance(number, int):
        raise TypeError("expected integer from opener")
    if number < 0:
        raise ValueError(f"opener returned {number}")
    return number


def _buffered(raw: RawFile, kind: str, size: int) -> Any:
    if "+" in kind:
        return Both(raw, size)
    return Reader(raw, size) if kind == "r" else Writer(raw, size)
