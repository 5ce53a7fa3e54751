"""Reads a record of `balance.events`: one that cannot be read, or lies wrong, stops the program."""

import msgspec
from confluent_kafka import Message

from system.errors import Halt
from system.messages import where
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
