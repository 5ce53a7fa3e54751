"""The check that the log is not behind its own outputs.

A record in an output partition that carries this shard's name and a number above the log's own
was published from frames the log no longer holds: its tail was lost after it had been synced.
"""

from collections.abc import Iterable

import msgspec
from confluent_kafka import Message

from system.errors import Halt
from system.inputs import Inputs
from system.records import EVENTS, Event, decode_event
from system.ubscore.state import State


def verify(inputs: Inputs, state: State, shard: int, partitions: Iterable[int]) -> None:
    """Read this shard's outputs from the mark to the end; halt if any is unknown to the log."""
    known = {(d.topic, d.partition): d.offset + 1 for d in state.mark.delivered}
    starts, ends = {}, {}
    for partition in partitions:
        after = known.get((EVENTS, partition), 0)
        low, high = inputs.reaching(EVENTS, partition, after)
        if after > high:
            raise Halt(
                "output_lost",
                f"{EVENTS}[{partition}] ends at {high}, but {after - 1} was acknowledged",
            )
        start = max(low, after)
        if start < high:
            starts[partition], ends[partition] = start, high
    for message in inputs.scan(EVENTS, starts, ends):
        _compare(message, state, shard)


def _compare(message: Message, state: State, shard: int) -> None:
    partition = message.partition() or 0
    place = f"{EVENTS}[{partition}] offset {message.offset()}"
    event = decode(message, place)
    if event.shard != shard:
        return
    if event.n > state.number(partition):
        raise Halt(
            "output_ahead",
            f"{place} is this shard's number {event.n}, the log ends at {state.number(partition)}:"
            " the log has lost its tail; restore the data directory",
        )
    if event.epoch >= state.epoch.counter:  # this opening has not published anything yet
        raise Halt("output_ahead", f"{place} is of epoch {event.epoch}, which the log never had")


def decode(message: Message, place: str) -> Event:
    """Read an event back; one that cannot be read is a halt."""
    try:
        event: Event = decode_event(message.value() or b"")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Halt("output_unreadable", f"{place}: {error}") from None
    return event
