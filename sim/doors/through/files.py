"""Files: the calls of ``os``, and what ``open`` returns, with moments, errors and slowness."""

import builtins
import errno
import io
import os
import time
from typing import Any

from sim.doors.through.watch import Strike, Watch

DOORS = frozenset(
    ("open", "os.read", "os.write", "os.fsync", "os.rename", "os.unlink", "os.truncate", "space")
)
_DONE = 0.5  # from this part on a change of names counts as done before a fault

_open, _read, _write = os.open, os.read, os.write
_fsync, _fdatasync, _sleep = os.fsync, os.fdatasync, time.sleep
_fstat, _lseek, _io_open = os.fstat, os.lseek, io.open


def install(watch: Watch) -> None:
    """Put the doors to files in place."""
    os.write = _Write(watch)
    os.read = _Read(watch)
    os.open = _Open(watch)
    os.fsync, os.fdatasync = _Sync(watch, _fsync), _Sync(watch, _fdatasync)
    os.rename = _Naming(watch, "os.rename", os.rename)
    os.replace = _Naming(watch, "os.rename", os.replace)
    os.unlink = _Naming(watch, "os.unlink", os.unlink)
    os.remove = _Naming(watch, "os.unlink", os.remove)
    os.truncate = _Naming(watch, "os.truncate", os.truncate)
    builtins.open = io.open = _Opening(watch)


class _Door:
    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def of(self, descriptor: int) -> str:
        """Return the name by which a plan knows an open file; empty if it is none."""
        try:
            path = os.readlink(f"/proc/self/fd/{descriptor}")
        except OSError:
            return ""
        return self.watch.subject(path) if path.startswith("/") else ""

    def refuse(self, door: str, subject: str) -> None:
        number = self.watch.error(door, subject)
        if number:
            raise OSError(number, os.strerror(number))


class _Write(_Door):
    def __call__(self, fd: int, data: Any, /) -> int:
        subject = self.of(fd)
        if not subject:
            return _write(fd, data)
        return self.write(fd, subject, data)

    def write(self, fd: int, subject: str, data: Any) -> int:
        strike = self.watch.strike("os.write", subject)
        if strike is None:
            return self._write(fd, subject, data)
        part = memoryview(data)[: int(len(data) * strike.part)]
        offset = _fstat(fd).st_size if _appends(fd) else _lseek(fd, 0, os.SEEK_CUR)
        done = self._write(fd, subject, part) if part else 0
        strike.interrupted(subject, offset, done, len(data))
        strike.hit()
        return done + (self._write(fd, subject, memoryview(data)[done:]) if done < len(data) else 0)

    def _write(self, fd: int, subject: str, data: Any) -> int:
        self.refuse("os.write", subject)
        if self.watch.full(subject):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return _write(fd, data)


class _Read(_Door):
    def __call__(self, fd: int, length: int, /) -> bytes:
        subject = self.of(fd)
        if not subject:
            return _read(fd, length)
        strike = self.before(subject)
        content = _read(fd, length)
        if strike is not None:
            strike.hit()
        return content

    def before(self, subject: str) -> Strike | None:
        """Count a read; return the strike if it comes after the read."""
        strike = self.watch.strike("os.read", subject)
        if strike is not None and strike.part < 1:
            strike.hit()
            strike = None
        self.refuse("os.read", subject)
        return strike


class _Sync(_Door):
    def __init__(self, watch: Watch, real: Any) -> None:
        super().__init__(watch)
        self.real = real

    def __call__(self, fd: Any) -> None:
        number = fd if isinstance(fd, int) else fd.fileno()
        subject = self.of(number)
        strike = self.watch.strike("os.fsync", subject)
        if strike is not None and strike.part < 1:
            strike.hit()
            strike = None
        slow = self.watch.slow_ns("os.fsync", subject)
        if slow:
            _sleep(slow / 1e9)
        try:
            self.refuse("os.fsync", subject)
        except OSError:
            if self.watch.ledger is not None:
                self.watch.ledger.failed(number)
            raise
        self.real(number)
        if self.watch.ledger is not None:
            self.watch.ledger.synced(number)
        if strike is not None:
            strike.hit()


class _Open(_Door):
    def __call__(
        self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None
    ) -> int:
        subject = self.watch.subject(os.path.abspath(os.fsdecode(path)))
        strike = self.watch.strike("open", subject)
        if strike is not None and strike.part < _DONE:
            strike.hit()
            strike = None
        self.refuse("open", subject)
        if flags & os.O_CREAT and not os.path.lexists(path) and self.watch.full(subject):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        descriptor = _open(path, flags, mode, dir_fd=dir_fd)
        if strike is not None:
            strike.hit()
        return descriptor


class _Naming(_Door):
    """A change of names; its subject is the last path it is given, or the only one."""

    def __init__(self, watch: Watch, door: str, real: Any) -> None:
        super().__init__(watch)
        self.door, self.real = door, real

    def __call__(self, *paths: Any, **named: Any) -> None:
        at, name = (1, "dst") if self.door == "os.rename" else (0, "path")
        path = paths[at] if len(paths) > at else named[name]
        subject = self.watch.subject(os.path.abspath(os.fsdecode(path)))
        strike = self.watch.strike(self.door, subject)
        if strike is not None and strike.part < _DONE:
            strike.hit()
            strike = None
        self.refuse(self.door, subject)
        if self.watch.ledger is not None and self.door != "os.truncate":
            self.watch.ledger.going(path)
        self.real(*paths, **named)
        if strike is not None:
            strike.hit()


class _Raw(io.FileIO):
    """A file whose reads and writes go through the doors."""

    def __init__(self, watch: Watch, path: Any, mode: str, opener: Any) -> None:
        self._through = (_Read(watch), _Write(watch))
        super().__init__(path, mode, opener=opener or _Opener(watch))

    def readinto(self, buffer: Any, /) -> int | None:
        content = self._through[0](self.fileno(), len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            return self.readall()
        return self._through[0](self.fileno(), size)

    def readall(self) -> bytes:
        parts = []
        while part := self._through[0](self.fileno(), 1 << 20):
            parts.append(part)
        return b"".join(parts)

    def write(self, data: Any, /) -> int:
        return self._through[1](self.fileno(), data)


class _Opener:
    def __init__(self, watch: Watch) -> None:
        self.door = _Open(watch)

    def __call__(self, path: Any, flags: int) -> int:
        return self.door(path, flags, 0o666)


class _Opening(_Door):
    """``open``: C code reads and writes behind it, so watched files get a raw layer of ours."""

    def __call__(  # noqa: PLR0913, PLR0917  (the real signature)
        self,
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        opener: Any = None,
    ) -> Any:
        if isinstance(file, int) or not self._watched(file):
            return _io_open(file, mode, buffering, encoding, errors, newline, closefd, opener)
        raw = _Raw(self.watch, file, mode.replace("b", "").replace("t", "") or "r", opener)
        if buffering == 0:
            return raw
        size = buffering if buffering > 1 else io.DEFAULT_BUFFER_SIZE
        buffered: Any
        if raw.readable() and raw.writable():
            buffered = io.BufferedRandom(raw, size)
        elif raw.writable():
            buffered = io.BufferedWriter(raw, size)
        else:
            buffered = io.BufferedReader(raw, size)
        if "b" in mode:
            return buffered
        return io.TextIOWrapper(buffered, encoding, errors, newline, line_buffering=buffering == 1)

    def _watched(self, file: Any) -> bool:
        path = os.path.abspath(os.fsdecode(file))
        return self.watch.subject(path) != path


def _appends(fd: int) -> bool:
    import fcntl  # noqa: PLC0415 - Linux and macOS only, like the rest of this door

    return bool(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_APPEND)
