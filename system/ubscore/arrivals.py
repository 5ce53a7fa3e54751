"""Arrivals: a record of the operations topic, read and checked, with the clocks beside it."""

from typing import NamedTuple

import msgspec
from confluent_kafka import Message

from system.errors import Halt
from system.inputs import checksum, leader_epoch
from system.messages import misplaced
from system.records import OPERATIONS, Transfer, decode_transfer
from system.topics import key_of
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
    wrong = misplaced(message, key_of(operation.user_id), partitions)
    if wrong is not None:
        raise Halt("input_misplaced", f"{place}: {wrong}")
    offset = message.offset() or 0
    source = Input(OPERATIONS, partition, offset, leader_epoch(message), checksum(message))
    return Arrival(source, key, value, operation, message.timestamp()[1], now_ms)
