"""Arrivals: operations and engine outputs as they came in, read and checked, clocks beside them."""

import msgspec
from confluent_kafka import Message

from system.errors import Halt
from system.inputs import checksum, leader_epoch
from system.messages import append_time_ms, misplaced, offset, partition, where
from system.records import (
    EngineOutput,
    Operation,
    decode_operation,
    decode_output,
)
from system.ubscore.terms import Home, Terms
from system.wal.frames import Input


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """An operation as it came in: where from, its bytes, and the clocks beside it."""

    source: Input
    value: bytes
    operation: Operation
    appended_ms: int
    now_ms: int


class OutputArrival(msgspec.Struct, frozen=True, gc=False):
    """An engine output as it came in."""

    source: Input
    value: bytes
    output: EngineOutput
    appended_ms: int
    now_ms: int


def read(message: Message, source: Input, terms: Terms, now_ms: int) -> Arrival:
    """Read an operation; one that cannot be read, or lies in a wrong partition, is a halt."""
    value = message.value() or b""
    try:
        operation = decode_operation(value, terms.formats)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Halt("input_unreadable", f"{where(message)}: {error}") from None
    _refuse_misplaced(message, terms.home(operation.user_id), terms)
    return Arrival(source, value, operation, append_time_ms(message), now_ms)


def read_output(message: Message, source: Input, terms: Terms, now_ms: int) -> OutputArrival:
    """Read an engine output; one that cannot be read, or lies in a wrong partition, is a halt."""
    value = message.value() or b""
    try:
        output = decode_output(value, terms.formats)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Halt("input_unreadable", f"{where(message)}: {error}") from None
    _refuse_misplaced(message, terms.home(output.symbol_id), terms)
    return OutputArrival(source, value, output, append_time_ms(message), now_ms)


def source_of(message: Message) -> Input:
    """Return what identifies a record in its topic."""
    epoch, crc = leader_epoch(message), checksum(message)
    return Input(message.topic() or "", partition(message), offset(message), epoch, crc)


def _refuse_misplaced(message: Message, home: Home, terms: Terms) -> None:
    if (message.key(), message.partition()) != (home.key, home.partition):
        wrong = misplaced(message, home.key, terms.partitions)
        raise Halt("input_misplaced", f"{where(message)}: {wrong}")
