"""Arrivals: a record of the operations topic, read and checked, with the clocks beside it."""

from typing import NamedTuple

import msgspec
from confluent_kafka import Message

from system.errors import Halt
from system.inputs import checksum, leader_epoch
from system.records import OPERATIONS, Transfer, decode_transfer
from system.topics import key_of, partition_of
from system.wal.frames import Input


class Arrival(NamedTuple):
    """An operation as it came in: where from, its bytes, and the clocks beside it."""

    source: Input
    key: bytes
    value: bytes
    operation: Transfer
    appended_ms: int
    now_ms: int


def read(message: Message, place: str, partitions: int, now_ms: int) -> Arrival:
    """Read a record; one that cannot be, or lies in a wrong partition, is a halt."""
    key, value = message.key() or b"", message.value() or b""
    try:
        operation: Transfer = decode_transfer(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Halt("input_unreadable", f"{place}: {error}") from None
    partition = message.partition() or 0
    if key != key_of(operation.user_id):
        raise Halt("input_misplaced", f"{place}: key {key!r} is not user {operation.user_id}")
    if partition_of(key, partitions) != partition:
        raise Halt("input_misplaced", f"{place}: key {key!r} belongs to another partition")
    offset = message.offset() or 0
    source = Input(OPERATIONS, partition, offset, leader_epoch(message), checksum(message))
    return Arrival(source, key, value, operation, message.timestamp()[1], now_ms)
