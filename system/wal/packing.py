"""The bytes of the log: files, their headers, and frames in them.

A file begins with a header and holds frames, each a multiple of 8 bytes long:

    header  magic, generation, shard, first LSN, synced LSN, CRC before it, identity, CRC
    frame   length, magic, type, version, generation, CRC of the frame before, LSN, synced LSN,
            payload (MessagePack), padding, CRC over everything before it

A frame's *synced LSN* is the last one known durable when the frame was built, a header's the last
one durable when the file got its name. They tell a torn tail from rot: a frame that somebody once
claimed to be synced can only be missing because it was damaged.
"""

import struct
from typing import NamedTuple
from zlib import crc32

import msgspec

from system.errors import Halt
from system.wal import frames
from system.wal.frames import AnyBody

# The most that is ever written between two syncs; damage beyond it cannot be a torn tail.
MAX_UNSYNCED = 16 * 1024 * 1024

MAGIC = b"\xa5\x4c"
FILE_MAGIC = b"WTWAL\x00\x00\x01"
_FRAME = struct.Struct("<I2sBBIIQQ")
_HEADER = struct.Struct("<8sIIQQQII")
_CRC = struct.Struct("<I")
FRAME_BYTES = _FRAME.size
HEADER_BYTES = _HEADER.size
_OVERHEAD = FRAME_BYTES + _CRC.size


class Header(NamedTuple):
    """What a log file says about itself."""

    generation: int
    shard: int
    first_lsn: int
    synced_lsn: int
    identity: int
    previous: int


class Frame(NamedTuple):
    """A frame as it was read; `previous` and `crc` chain it to its neighbours."""

    lsn: int
    kind: int
    version: int
    generation: int
    previous: int
    synced_lsn: int
    payload: bytes
    crc: int
    file: str
    offset: int
    size: int

    @property
    def format(self) -> int:
        """The format version that brought this type of frame; 0: none that is known here."""
        return frames.format_of(self.kind, self.version)

    @property
    def body(self) -> AnyBody:
        """Decode what the frame says; an unknown kind or version is a halt, never skipped."""
        decoder = frames.decoder_of(self.kind, self.version)
        place = f"{self.file} offset {self.offset} (LSN {self.lsn})"
        if decoder is None:
            raise Halt(
                "log_version",
                f"{place}: frame type {self.kind} version {self.version} is not known here;"
                " run the program version that wrote it",
            )
        try:
            body: AnyBody = decoder.decode(self.payload)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Halt(
                "log_damaged", f"{place}: valid checksum, unreadable frame: {error}"
            ) from None
        return body


def pack(
    kind: int,
    payload: bytes,
    *,
    lsn: int,
    generation: int,
    previous: int,
    synced_lsn: int,
    version: int = 1,
) -> bytes:
    """Return the bytes of a frame; `crc_of` them chains the next one."""
    padding = -(_OVERHEAD + len(payload)) & 7
    head = _FRAME.pack(len(payload), MAGIC, kind, version, generation, previous, lsn, synced_lsn)
    covered = head + payload + bytes(padding)
    return covered + _CRC.pack(crc32(covered))


def crc_of(frame: bytes) -> int:
    """Return the CRC a packed frame ends with."""
    crc: int = _CRC.unpack_from(frame, len(frame) - _CRC.size)[0]
    return crc


def unpack(name: str, data: bytes, offset: int) -> Frame | None:
    """Return the frame at `offset`, or None if there is no whole and valid one."""
    if offset + _OVERHEAD > len(data):
        return None
    length, magic, kind, version, generation, previous, lsn, synced = _FRAME.unpack_from(
        data, offset
    )
    size = _OVERHEAD + length + (-(_OVERHEAD + length) & 7)
    if magic != MAGIC or offset + size > len(data):
        return None
    end = offset + size - _CRC.size
    (crc,) = _CRC.unpack_from(data, end)
    if crc != crc32(memoryview(data)[offset:end]):
        return None
    start = offset + FRAME_BYTES
    payload = data[start : start + length]
    return Frame(lsn, kind, version, generation, previous, synced, payload, crc, name, offset, size)


def pack_header(header: Header) -> bytes:
    """Return the bytes a log file begins with."""
    covered = _HEADER.pack(FILE_MAGIC, *header, 0)[: -_CRC.size]
    return covered + _CRC.pack(crc32(covered))


def unpack_header(name: str, data: bytes) -> Header:
    """Return a log file's header. It was synced before the file got its name, so it must hold."""
    if len(data) >= HEADER_BYTES:
        magic, *fields, crc = _HEADER.unpack_from(data)
        if magic == FILE_MAGIC and crc == crc32(data[: HEADER_BYTES - _CRC.size]):
            return Header(*fields)
    raise Halt("log_damaged", f"{name} offset 0: the file's header is damaged")
