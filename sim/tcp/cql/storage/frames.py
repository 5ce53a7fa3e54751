"""Files of frames: what was torn at the end is cut off, what rotted before it is refused.

    file    magic, number, CRC
    frame   mark, length, synced, CRC, payload

The CRC of a frame covers its place, its head and its payload. *Synced* is how much of the file was
durable when the frame was written: damage below what any later frame claims cannot be a torn tail.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

MAGIC = b"WTCQL\x00\x00\x01"
TEMPORARY = ".tmp"
MARK = b"\xc7\x51\x1e\xf3"

_HEADER = struct.Struct("<8sQ")
_FRAME = struct.Struct("<4sIQ")
_CRC = struct.Struct("<I")
HEADER_BYTES = _HEADER.size + _CRC.size
_HEAD_BYTES = _FRAME.size + _CRC.size


class Corrupt(Exception):
    """A file was damaged where it had been durable; it names file and offset."""

    def __init__(self, path: Path, offset: int, what: str) -> None:
        super().__init__(
            f"{path} is damaged at offset {offset}: {what}; restore the file, or remove the data "
            "directory and let the other nodes fill it again"
        )


def header(number: int) -> bytes:
    """Return how file `number` begins."""
    head = _HEADER.pack(MAGIC, number)
    return head + _CRC.pack(crc32(head))


def frame(number: int, offset: int, synced: int, payload: bytes) -> bytes:
    """Return the frame that holds `payload` at `offset` of file `number`."""
    head = _FRAME.pack(MARK, len(payload), synced)
    return head + _CRC.pack(_crc(number, offset, head, payload)) + payload


def _crc(number: int, offset: int, head: bytes, payload: bytes | memoryview) -> int:
    return crc32(payload, crc32(head, crc32(struct.pack("<QQ", number, offset))))


class Reading:
    """A file read whole: `payloads` in order, `size` of what is good."""

    def __init__(self, path: Path, number: int, *, whole: bool) -> None:
        self.path = path
        self._number = number
        self._content = path.read_bytes()
        if self._content[:HEADER_BYTES] != header(number):
            raise Corrupt(path, 0, "this is not the file that its name says")
        self.payloads: list[memoryview] = []
        self.size = HEADER_BYTES
        while (found := self._frame(self.size)) is not None:
            payload, _ = found
            self.payloads.append(payload)
            self.size += _HEAD_BYTES + len(payload)
        self.torn = len(self._content) - self.size
        if self.torn:
            self._judge(whole=whole)

    @property
    def good(self) -> memoryview:
        """The bytes up to the first damage."""
        return memoryview(self._content)[: self.size]

    def _frame(self, offset: int) -> tuple[memoryview, int] | None:
        content = self._content
        start = offset + _HEAD_BYTES
        if start > len(content):
            return None
        head = content[offset : offset + _FRAME.size]
        mark, length, synced = _FRAME.unpack(head)
        if mark != MARK or length > len(content) - start:
            return None
        payload = memoryview(content)[start : start + length]
        (crc,) = _CRC.unpack_from(content, offset + _FRAME.size)
        return (payload, synced) if crc == _crc(self._number, offset, head, payload) else None

    def _judge(self, *, whole: bool) -> None:
        if whole or any(synced > self.size for synced in self._later()):
            raise Corrupt(self.path, self.size, "a frame that was durable is not valid")

    def _later(self) -> Iterator[int]:
        """Yield what valid frames beyond the damage say was durable."""
        at = self._content.find(MARK, self.size + 1)
        while at >= 0:
            found = self._frame(at)
            if found is not None:
                yield found[1]
            at = self._content.find(MARK, at + 1)


class Writing:
    """A file that grows by frames; it has its name only from `publish` on."""

    def __init__(self, path: Path, number: int, content: bytes | memoryview = b"") -> None:
        self.path = path
        self._number = number
        self._temporary = path.with_name(path.name + TEMPORARY)
        self._file = os.open(self._temporary, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        content = content or header(number)
        write(self._file, content)
        self.size = len(content)  # with what is still in memory
        self.synced = 0
        self.buffered = 0
        self._buffer: list[bytes] = []

    def append(self, payload: bytes) -> None:
        """Add a frame, in memory; `flush` writes it, `sync` makes it durable."""
        content = frame(self._number, self.size, self.synced, payload)
        self._buffer.append(content)
        self.buffered += len(content)
        self.size += len(content)

    def flush(self) -> None:
        """Write what is in memory."""
        buffer, self._buffer, self.buffered = self._buffer, [], 0
        write(self._file, b"".join(buffer))

    def sync(self) -> None:
        """Make durable what was appended."""
        if self.synced < self.size:
            self.flush()
            os.fdatasync(self._file)
            self.synced = self.size

    def publish(self) -> None:
        """Make the whole file durable, then give it its name, which is durable, too."""
        self.flush()
        os.fsync(self._file)
        self.synced = self.size
        os.rename(self._temporary, self.path)
        sync_directory(self.path.parent)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def write(file: int, content: bytes | memoryview) -> None:
    """Write all of `content`."""
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    file = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
