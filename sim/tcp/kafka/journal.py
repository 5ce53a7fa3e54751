"""An append-only file of checksummed entries, and files that are replaced as a whole.

An entry is its length, its CRC-32C and MessagePack. A torn last entry is cut off at start; damage
before it is not something a crash can do, and refused.
"""

import os
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from crc32c import crc32c

from sim.tcp.kafka.segments import Damaged, SegmentFile, sync_directory

_HEAD = struct.Struct(">II")


class Journal:
    """Entries in the order in which they were added."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = SegmentFile(path, 0)

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self._file.size

    def read(self) -> list[Any]:
        """Return all entries; cut a torn tail off."""
        data = os.pread(self._file.descriptor, self._file.size, 0)
        entries, at = [], 0
        while at < len(data):
            entry = _entry(data, at)
            if entry is None:
                if any(_entry(data, later) is not None for later in range(at + 1, len(data))):
                    raise Damaged(f"{self.path} is damaged at byte {at} of {len(data)}")
                self._file.cut(at)
                break
            content, at = entry
            entries.append(content)
        return entries

    def add(self, entry: Any) -> None:
        """Add an entry; `flush` writes it."""
        self._file.append(_packed(entry))

    def flush(self, *, sync: bool) -> None:
        """Write what was added; wait for the device if `sync`."""
        self._file.flush()
        if sync:
            self._file.sync()

    def replace(self, entries: Iterable[Any]) -> None:
        """Let these be all entries."""
        self._file.close()
        replace(self.path, b"".join([_packed(entry) for entry in entries]), sync=True)
        self._file = SegmentFile(self.path, 0)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


def replace(path: Path, content: bytes, *, sync: bool) -> None:
    """Give a file new content: after a crash it has either the old or the new one."""
    beside = path.with_name(path.name + ".tmp")
    with beside.open("wb") as file:
        file.write(content)
        if sync:
            file.flush()
            os.fsync(file.fileno())
    beside.replace(path)
    if sync:
        sync_directory(path.parent)


def _packed(entry: Any) -> bytes:
    body = msgspec.msgpack.encode(entry)
    return _HEAD.pack(len(body), crc32c(body)) + body


def _entry(data: bytes, at: int) -> tuple[Any, int] | None:
    if len(data) - at < _HEAD.size:
        return None
    size, checksum = _HEAD.unpack_from(data, at)
    begin = at + _HEAD.size
    body = data[begin : begin + size]
    if not size or len(body) < size or crc32c(body) != checksum:
        return None
    return msgspec.msgpack.decode(body), begin + size
