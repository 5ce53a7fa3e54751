"""Raw files and the buffers over them.

Buffering is Python's own pure-Python one (``_pyio``), made to flush and read ahead when the C
classes do, without their locks: one thread that waits inside a C buffer would bar all others.
"""

import _pyio  # type: ignore[import-not-found,unused-ignore]
import io
from typing import Any

from sim.doors.files import descriptors
from sim.doors.files.table import Files
from sim.process import Process
from sim.thread import Killed


class _NoLock:
    """Threads of a world switch only where they block, and nothing blocks inside a buffer."""

    def __enter__(self) -> None:
        """Nothing to take."""

    def __exit__(self, *_: object) -> None:
        """Nothing to release."""


_NO_LOCK = _NoLock()


class RawFile(io.RawIOBase):
    """An unbuffered file of one incarnation (``io.FileIO``)."""

    def __init__(self, files: Files, number: int, name: Any, mode: str, *, closefd: bool) -> None:
        self._files = files
        self._number = number
        self._opened = files.get(number)
        self.closefd = closefd
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
        elif self.closefd and self._files.table.get(self._number) is self._opened:
            self._files.close(self._number)

    def __getstate__(self) -> Any:
        raise TypeError(f"cannot pickle {type(self).__name__!r} object")

    def __repr__(self) -> str:
        return f"<RawFile name={self.name!r} mode={self.mode!r}>"


def _read1(buffer: Any, size: int) -> bytes:
    """Read in at most one call; unlike ``_pyio`` past the buffer if it is empty, as C does."""
    if size < 0:
        size = buffer.buffer_size
    if buffer.closed:
        raise ValueError("read of closed file")
    ahead = len(buffer._read_buf) - buffer._read_pos
    if ahead > 0:
        content = buffer._read_buf[buffer._read_pos : buffer._read_pos + size]
        buffer._read_pos += len(content)
        return content  # type: ignore[no-any-return]
    buffer._reset_read_buf()
    return buffer.raw.read(size) if size else b""


def _write(buffer: Any, data: Any) -> int:
    """Write as C does: what does not fit flushes what is there, and whole buffers go straight."""
    if buffer.closed:
        raise ValueError("write to closed file")
    content = bytes(memoryview(data))
    pending: bytearray = buffer._write_buf
    if len(content) > buffer.buffer_size - len(pending):
        buffer._flush_unlocked()
    at = 0
    while len(content) - at > buffer.buffer_size:
        at += buffer.raw.write(content[at:])
    pending += content[at:]
    return len(content)


class Reader(_pyio.BufferedReader):  # type: ignore[misc]
    """``io.BufferedReader``."""

    def __init__(self, raw: RawFile, size: int) -> None:
        super().__init__(raw, size)
        self._read_lock = _NO_LOCK

    def read1(self, size: int = -1) -> bytes:
        """Return what is buffered, or what one call reads."""
        return _read1(self, size)


class Writer(_pyio.BufferedWriter):  # type: ignore[misc]
    """``io.BufferedWriter``."""

    def __init__(self, raw: RawFile, size: int) -> None:
        super().__init__(raw, size)
        self._write_lock = _NO_LOCK

    def write(self, data: Any) -> int:
        """Write into the buffer."""
        return _write(self, data)


class Both(_pyio.BufferedRandom):  # type: ignore[misc]
    """``io.BufferedRandom``."""

    def __init__(self, raw: RawFile, size: int) -> None:
        super().__init__(raw, size)
        self._read_lock = self._write_lock = _NO_LOCK

    def read1(self, size: int = -1) -> bytes:
        """Return what is buffered, or what one call reads."""
        self.flush()
        return _read1(self, size)

    def write(self, data: Any) -> int:
        """Write into the buffer; what was read ahead is forgotten."""
        if self._read_buf:
            self.raw.seek(self._read_pos - len(self._read_buf), 1)
            self._reset_read_buf()
        return _write(self, data)

    def truncate(self, size: int | None = None) -> int:
        """Set the size; what was read ahead is forgotten, as C does."""
        wanted = self.tell() if size is None else size
        self.seek(0, 1)
        return super().truncate(wanted)  # type: ignore[no-any-return]


def buffered(raw: RawFile, kind: str, size: int) -> Any:
    if "+" in kind:
        return Both(raw, size)
    return Reader(raw, size) if kind == "r" else Writer(raw, size)
