"""Reads the records of both topics: one that cannot be read, or lies wrong, stops the program."""

from collections.abc import Callable
from typing import TypeVar

import msgspec
from confluent_kafka import Message

from system.errors import Halt
from system.messages import where
from system.records import FORMAT_VERSION, EngineOutput, Event, decode_event, decode_output
from system.topics import key_of, partition_of

T = TypeVar("T")


def event(message: Message, partition_count: int, newest: int = FORMAT_VERSION) -> Event:
    """Return the event in a record, or halt: skipping it would lose money silently."""
    decoded: Event = _decoded(decode_event, message, newest)
    _placed(message, "user", decoded.user_id, partition_count)
    return decoded


def output(message: Message, partition_count: int, newest: int = FORMAT_VERSION) -> EngineOutput:
    """Return the engine's output in a record, or halt."""
    decoded: EngineOutput = _decoded(decode_output, message, newest)
    _placed(message, "symbol", decoded.symbol_id, partition_count)
    return decoded


def _decoded(decode: Callable[[bytes, int], T], message: Message, newest: int) -> T:
    try:
        return decode(message.value() or b"", newest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Halt("undecodable", f"{where(message)} cannot be decoded: {error}") from error


def _placed(message: Message, what: str, number: int, partition_count: int) -> None:
    key = key_of(number)
    if message.key() != key:
        raise Halt(
            "wrong_key", f"{where(message)} is about {what} {number}, its key says otherwise"
        )
    if partition_of(key, partition_count) != message.partition():
        raise Halt("wrong_partition", f"{where(message)}: {what} {number} belongs elsewhere")
