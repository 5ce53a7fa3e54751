"""Reads a record of `balance.events`: one that cannot be read, or lies wrong, stops the program."""

import msgspec
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Message

from system.errors import Halt
from system.records import Event, decode_event
from system.topics import key_of, partition_of


def event(message: Message, partition_count: int) -> Event:
    """Return the event in a record, or halt: skipping it would lose money silently."""
    try:
        decoded: Event = decode_event(message.value() or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Halt("undecodable", f"{where(message)} cannot be decoded: {error}") from error
    key = key_of(decoded.user_id)
    if message.key() != key:
        raise Halt(
            "wrong_key", f"{where(message)} is about user {decoded.user_id}, its key says otherwise"
        )
    if partition_of(key, partition_count) != message.partition():
        raise Halt("wrong_partition", f"{where(message)}: user {decoded.user_id} belongs elsewhere")
    return decoded


def append_time_ms(message: Message) -> int:
    """Return when the broker appended the record; a producer's clock would prove nothing."""
    kind, milliseconds = message.timestamp()
    if kind != TIMESTAMP_LOG_APPEND_TIME:
        raise Halt(
            "no_append_time",
            f"{where(message)} has no LogAppendTime; "
            "set message.timestamp.type=LogAppendTime on the topic",
        )
    return milliseconds


def partition(message: Message) -> int:
    """Return the partition of a record."""
    found = message.partition()
    assert found is not None, "a consumed record has a partition"
    return found


def offset(message: Message) -> int:
    """Return the offset of a record."""
    found = message.offset()
    assert found is not None, "a consumed record has an offset"
    return found


def where(message: Message) -> str:
    """Return topic, partition and offset for people."""
    return f"{message.topic()}[{message.partition()}], offset {message.offset()}"
