"""Compressed records, opened: gzip, snappy (raw and in xerial's framing), lz4 and zstd."""

from collections.abc import Callable
from typing import Any

import cramjam

from sim.kafka.errors import BatchError, UnknownCodec

_SNAPPY_STREAM = b"\x82SNAPPY\x00"  # of xerial's framing, which Java writes: header, then blocks


def _snappy(data: bytes) -> Any:
    if not data.startswith(_SNAPPY_STREAM):
        return cramjam.snappy.decompress_raw(data)
    blocks, at = [], 16
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4])
        blocks.append(bytes(cramjam.snappy.decompress_raw(data[at + 4 : end])))
        at = end
    return b"".join(blocks)


_DECOMPRESS: dict[int, Callable[[bytes], Any]] = {
    1: cramjam.gzip.decompress,
    2: _snappy,
    3: cramjam.lz4.decompress,
    4: cramjam.zstd.decompress,
}


def decompressed(codec: int, body: bytes) -> bytes:
    """Return the records of a batch; raise `BatchError` if they are none."""
    if codec not in _DECOMPRESS:
        raise UnknownCodec(f"there is no compression codec {codec}")
    try:
        return bytes(_DECOMPRESS[codec](body))
    except cramjam.DecompressionError as error:
        raise BatchError(f"the compressed records are malformed: {error}") from error
