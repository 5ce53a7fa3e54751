"""Arrivals: a record of the orders topic, read and checked; whatever is odd stops the engine."""

from typing import NamedTuple

import msgspec
from confluent_kafka import Message

from system import tracing
from system.errors import Halt
from system.inputs import checksum, leader_epoch
from system.messages import append_time_ms, misplaced, offset, partition, where
from system.records import FORMAT_VERSION, ORDERS, Source, Validated, decode_validated
from system.topics import key_of


class Arrival(NamedTuple):
    """An order or cancel as it came in."""

    record: Validated
    source: Source
    leader_epoch: int
    crc: int
    appended_ms: int
    traceparent: str


def read(message: Message, partitions: int, newest: int = FORMAT_VERSION) -> Arrival:
    """Read a record; one that cannot be, or lies in a wrong partition, is a halt."""
    try:
        record = decode_validated(message.value() or b"", newest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Halt("input_unreadable", f"{where(message)}: {error}") from None
    wrong = misplaced(message, key_of(record.symbol_id), partitions)
    if wrong is not None:
        raise Halt("input_misplaced", f"{where(message)}: {wrong}")
    source = Source(topic=ORDERS, partition=partition(message), offset=offset(message))
    return Arrival(
        record,
        source,
        leader_epoch(message),
        checksum(message),
        append_time_ms(message),
        tracing.incoming(message),
    )
