"""Snapshots: a program's state in one file, written so that it is whole or not there at all.

A file is a header (magic, format version, counter, identity of the data directory, length and
checksum of the state, checksum) and the state. It is written to a temporary file, synced, renamed,
its directory synced, and read back; only then is the last but one deleted.
"""

import os
import re
import struct
from collections.abc import Iterable
from typing import NamedTuple
from zlib import crc32

from system.directory import write_durably
from system.errors import Halt, LogError
from system.log import Log

KEPT = 2

_NONE_LEFT = (
    "; no whole one is left. Put back a copy; or, if all since the beginning can be read again "
    "(the log from LSN 1, an engine's input from offset 0), take the file away and start anew"
)

_MAGIC = b"WTSNAP\x00\x01"
_HEADER = struct.Struct("<8sIQQQI")
_CRC = struct.Struct("<I")
_NAME = re.compile(r"snapshot-(\d{20})\.bin")


class Snapshot(NamedTuple):
    """A snapshot that may be used; `counter` orders those of one directory."""

    name: str
    version: int
    counter: int
    state: memoryview


class Damaged(Exception):
    """A file is not a whole snapshot; an older one may do."""


class Snapshots:
    """The snapshots of one data directory."""

    def __init__(self, path: str, identity: int, version: int, log: Log) -> None:
        self.path = path
        self.identity = identity
        self.version = version  # the newest that may be read
        self.log = log
        self._damaged: set[str] = set()  # passed over at the start

    def write(self, counter: int, state: bytes, version: int = 1) -> int:
        """Write a snapshot durably, check it, delete those before the last one; return its size.

        A damaged one that was passed over counts as none: the last whole one is kept.
        """
        content = self._pack(counter, state, version)
        name = f"snapshot-{counter:020}.bin"
        path = os.path.join(self.path, name)
        try:
            write_durably(path, content)
            with open(path, "rb") as file:
                written = file.read()
        except OSError as error:
            raise LogError(f"writing {path}: {error}") from error
        if written != content:
            raise LogError(f"{path} does not read as it was written; look at the disk")
        self._delete(sorted(self._damaged - {name}))
        self._damaged.clear()
        self._delete(self._names()[KEPT:])
        return len(content)

    def latest(self) -> Snapshot | None:
        """Return the newest whole snapshot; None if there never was one.

        A damaged one is passed over and said. One of a newer program or of another directory is a
        halt, and so is it if there are snapshots but none is whole.
        """
        names = self._names()
        damages = []
        for name in names:
            try:
                return self._read(name)
            except Damaged as damage:
                damages.append(f"{name}: {damage}")
                self._damaged.add(name)
                self.log.warning("snapshot_refused", file=name, detail=str(damage))
        if damages:
            raise Halt("snapshot_damaged", "; ".join(damages) + _NONE_LEFT)
        return None

    def oldest(self) -> int:
        """Return the counter of the older kept snapshot; 0 if there is only one or none."""
        names = self._names()
        match = _NAME.fullmatch(names[-1]) if len(names) >= KEPT else None
        return int(match.group(1)) if match else 0

    def clean(self) -> None:
        """Remove what an interrupted write left behind."""
        try:
            for name in sorted(os.listdir(self.path)):
                if name.startswith("snapshot-") and name.endswith(".tmp"):
                    os.unlink(os.path.join(self.path, name))
        except OSError as error:
            raise LogError(f"cleaning {self.path}: {error}") from error

    def _names(self) -> list[str]:
        """Return the file names, newest first."""
        try:
            return sorted(filter(_NAME.fullmatch, os.listdir(self.path)), reverse=True)
        except OSError as error:
            raise LogError(f"listing {self.path}: {error}") from error

    def _delete(self, names: Iterable[str]) -> None:
        for name in names:
            try:
                os.unlink(os.path.join(self.path, name))
            except OSError as error:
                raise LogError(f"deleting {name} in {self.path}: {error}") from error

    def _pack(self, counter: int, state: bytes, version: int) -> bytes:
        head = _HEADER.pack(_MAGIC, version, counter, self.identity, len(state), crc32(state))
        return head + _CRC.pack(crc32(head)) + state

    def _read(self, name: str) -> Snapshot:
        path = os.path.join(self.path, name)
        try:
            with open(path, "rb") as file:
                content = file.read()
        except OSError as error:
            raise LogError(f"reading {path}: {error}") from error
        return self._unpack(name, content)

    def _unpack(self, name: str, content: bytes) -> Snapshot:
        start = _HEADER.size + _CRC.size
        if len(content) < start:
            raise Damaged(f"truncated: {len(content)} bytes are less than a header")
        magic, version, counter, identity, length, crc = _HEADER.unpack_from(content)
        (seal,) = _CRC.unpack_from(content, _HEADER.size)
        if magic != _MAGIC or seal != crc32(content[: _HEADER.size]):
            raise Damaged("the header is damaged")
        if version > self.version:
            raise Halt(
                "snapshot_version",
                f"{name} has format version {version}, this program reads up to {self.version}"
                " or was told not to read more; run the version that wrote it, or set"
                " formats.version",
            )
        if identity != self.identity:
            raise Halt("snapshot_foreign", f"{name} belongs to another data directory; remove it")
        state = memoryview(content)[start:]
        if len(state) != length:
            raise Damaged(f"truncated: {len(state)} of {length} bytes")
        if crc32(state) != crc:
            raise Damaged("the checksum does not fit")
        return Snapshot(name, version, counter, state)
