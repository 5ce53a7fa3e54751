"""``open``: raw files, buffers over them, and the real ``io.TextIOWrapper`` on top for text."""

import errno
import io
import os
import warnings
import weakref
from typing import Any

from sim.doors.files import descriptors
from sim.doors.files.buffers import RawFile, buffered
from sim.doors.files.hanging import door
from sim.doors.files.table import files_of
from sim.process import Process

_BUFFER = 4096  # the block size of the simulated file system, as `open` takes it


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
    if buffering == 1 and binary:
        warnings.warn(
            "line buffering (buffering=1) isn't supported in binary mode, "
            "the default buffer size will be used",
            RuntimeWarning,
            3,
        )
    raw = _raw(process, file, kind, closefd=closefd, opener=opener)
    if buffering == 0 and binary:
        return raw
    if buffering == 0:
        raw.close()
        raise ValueError("can't have unbuffered text I/O")
    try:
        top: Any = buffered(raw, kind, _BUFFER if buffering in {-1, 1} else buffering)
        if not binary:
            top = io.TextIOWrapper(top, encoding or "utf-8", errors, newline, buffering == 1)
            top.mode = mode
    except BaseException:
        raw.close()
        raise
    files_of(process).buffers[raw.fileno()] = weakref.ref(top)
    return top


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
        return RawFile(files, file, file, shown, closefd=closefd)
    if not closefd:
        raise ValueError("Cannot use closefd=False with file name")
    access = os.O_RDWR if "+" in kind else os.O_RDONLY if kind == "r" else os.O_WRONLY
    flags = access | os.O_CLOEXEC | _FLAGS.get(kind[0], os.O_CREAT | os.O_APPEND)
    number = _descriptor(process, file, flags, opener)
    if files.get(number).inode.entries is not None:
        files.close(number)
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), file)
    raw = RawFile(files, number, file, shown, closefd=True)
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
