"""Produce requests on a link: the records in them, one of which can be altered, and its offset.

What readers are sent of such a record can be altered as well, and a batch be refused.
"""

import io
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from crc32c import crc32c
from kio.index import load_request_schema, load_response_schema
from kio.schema.errors import ErrorCode
from kio.serial import entity_reader, entity_writer

from sim.kafka.batch import HEADER_SIZE, PREFIX, Batch

_KEY = 0
_LENGTH = struct.Struct(">i")
_HEAD = struct.Struct(">hhi")
_CHECKSUM = slice(17, 21)  # of a batch: of everything behind it
_SEQUENCE = slice(53, 57)  # its producer's number of its first record
_MAGIC_AT, _MAGIC = 16, 2
_SENDER_AT, _SENDER = 43, struct.Struct(">qhi")  # producer, its epoch, its number


class Altered(NamedTuple):
    """A batch with one record altered: its bytes, and the record's key, old and new value."""

    data: bytes
    key: bytes
    was: bytes
    now: bytes


def request(frame: bytes) -> tuple[int, int, Any]:
    """Return version, correlation id and body of a Produce request."""
    _, version, correlation = _HEAD.unpack_from(frame, 4)
    schema: Any = load_request_schema(_KEY, version)
    _, at = entity_reader(schema.__header_schema__)(frame[4:], 0)
    body, _ = entity_reader(schema)(frame[4:], at)
    return version, correlation, body


def batches(body: Any, topic: str) -> Iterator[tuple[int, bytes]]:
    """Yield the batches for a topic with their partitions (from version 13 on it has no name)."""
    for each in body.topic_data:
        if getattr(each, "name", "") == topic:
            for part in each.partition_data:
                if part.records:
                    yield int(part.index), bytes(part.records)


def with_batch(frame: bytes, topic: str, partition: int, data: bytes) -> bytes:
    """Return the frame with another batch for a partition."""
    _, version, _ = _HEAD.unpack_from(frame, 4)

    def changed(body: Any) -> Any:
        topics = tuple(
            _with(each, partition, data) if each.name == topic else each for each in body.topic_data
        )
        return replace(body, topic_data=topics)

    return _changed(frame, load_request_schema(_KEY, version), changed)


def _changed(frame: bytes, schema: Any, change: Callable[[Any], Any]) -> bytes:
    _, at = entity_reader(schema.__header_schema__)(frame[4:], 0)
    body, _ = entity_reader(schema)(frame[4:], at)
    out = io.BytesIO()
    entity_writer(schema)(out, change(body))
    content = frame[4 : 4 + at] + out.getvalue()
    return _LENGTH.pack(len(content)) + content


def _with(topic: Any, partition: int, data: bytes) -> Any:
    parts = tuple(
        replace(part, records=type(part.records)(data)) if part.index == partition else part
        for part in topic.partition_data
    )
    return replace(topic, partition_data=parts)


def altered(data: bytes, index: int, byte: int, bit: int) -> Altered:
    """Flip one bit of the value of a batch's record; the checksum is that of what is now there."""
    at, start = HEADER_SIZE, HEADER_SIZE
    key, was = b"", b""
    for record in Batch.decode(data).records[: index + 1]:
        key, was = record[0] or b"", record[1] or b""
        start = data.index(was, at)
        at = start + len(was)
    spoiled = bytearray(data)
    spoiled[start + byte % len(was)] ^= 1 << bit
    return Altered(_summed(spoiled), key, was, bytes(spoiled[start:at]))


def without(data: bytes, index: int) -> bytes:
    """Return a batch without one of its records."""
    batch = Batch.decode(data)
    kept = (*batch.records[:index], *batch.records[index + 1 :])
    return Batch(kept, batch.producer_id, batch.producer_epoch, batch.base_sequence).encode()


def renumbered(data: bytes, sequence: int) -> bytes:
    """Return a batch with another number of its producer."""
    batch = bytearray(data)
    batch[_SEQUENCE] = (sequence & 0x7FFFFFFF).to_bytes(4)
    return _summed(batch)


def untakeable(data: bytes) -> bytes:
    """Return a batch that no broker takes: its checksum does not hold."""
    batch = bytearray(data)
    batch[_CHECKSUM.start] ^= 0xFF
    return bytes(batch)


def rotten(fetched: bytes, sender: tuple[int, int, int], was: bytes, byte: int, bit: int) -> bytes:
    """Flip one bit of the value `was` of a sender's batch wherever it lies in what was fetched.

    The checksum stays what it was.
    """
    spoiled, mark = bytearray(fetched), _SENDER.pack(*sender)
    at = fetched.find(mark, _SENDER_AT)
    while at >= 0:
        start = at - _SENDER_AT
        if fetched[start + _MAGIC_AT] == _MAGIC:
            (size,) = _LENGTH.unpack_from(fetched, start + 8)
            value_at = fetched.find(was, at, start + PREFIX + size)
            if value_at >= 0:
                spoiled[value_at + byte % len(was)] ^= 1 << bit
        at = fetched.find(mark, at + 1)
    return bytes(spoiled)


def _summed(batch: bytearray) -> bytes:
    batch[_CHECKSUM] = crc32c(bytes(batch[_CHECKSUM.stop :])).to_bytes(4)
    return bytes(batch)


def answer(frame: bytes) -> int:
    """Return the correlation id of an answer."""
    (correlation,) = _LENGTH.unpack_from(frame, 4)
    return int(correlation)


def offset_of(frame: bytes, version: int, topic: str, partition: int) -> int | None:
    """Return where a batch came to stand; None if it was not taken."""
    schema: Any = load_response_schema(_KEY, version)
    _, at = entity_reader(schema.__header_schema__)(frame[4:], 0)
    body, _ = entity_reader(schema)(frame[4:], at)
    for each in body.responses:
        if each.name == topic:
            for part in each.partition_responses:
                if part.index == partition and part.error_code is ErrorCode.none:
                    return int(part.base_offset)
    return None


def refused(frame: bytes, version: int, topic: str, partition: int, why: ErrorCode) -> bytes:
    """Return an answer in which a batch is refused for another reason."""

    def part_of(each: Any, part: Any) -> Any:
        ours = each.name == topic and part.index == partition
        return replace(part, error_code=why) if ours else part

    def changed(body: Any) -> Any:
        responses = tuple(
            replace(
                each,
                partition_responses=tuple(part_of(each, part) for part in each.partition_responses),
            )
            for each in body.responses
        )
        return replace(body, responses=responses)

    return _changed(frame, load_response_schema(_KEY, version), changed)
