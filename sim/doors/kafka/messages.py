"""Messages, errors and partitions as a consumer's program sees them."""

from typing import Any

from sim.kafka.client import codes
from sim.kafka.client.commits import Offset
from sim.kafka.client.failure import Failure
from sim.kafka.client.tracked import Chunk
from sim.kafka.client.values import result
from sim.kafka.client.wheel import Message, error_of

_CREATE_TIME, _LOG_APPEND_TIME = 1, 2


def message_of(chunk: Chunk, at: int) -> Any:
    """Return a record as the program sees it."""
    batch = chunk.batch
    record = batch.records[at]
    key, value, headers, _ = record
    kind = _LOG_APPEND_TIME if batch.log_append_time else _CREATE_TIME
    return Message(
        topic=chunk.tracked.topic,
        partition=chunk.tracked.index,
        offset=batch.base_offset + at,
        key=key,
        value=value,
        headers=list(headers) if headers else None,
        timestamp=(kind, batch.timestamp(record)),
        leader_epoch=batch.leader_epoch,
    )


def failure(event: Failure) -> Any:
    """Return an error as the message that `poll` returns."""
    tracked = event.tracked
    fatal = event.code == codes.FATAL
    return Message(
        topic=tracked.topic if tracked is not None else None,
        partition=tracked.index if tracked is not None else -1,
        offset=event.offset,
        value=event.text.encode(),
        error=error_of(event.code, event.text, fatal=fatal),
    )


def outcome(offset: Offset) -> Any:
    """Return a partition of a commit's answer."""
    error = error_of(offset.error) if offset.error else None
    return result(
        offset.topic,
        offset.partition,
        offset.offset,
        metadata=offset.metadata or None,
        epoch=offset.epoch,
        error=error,
    )
