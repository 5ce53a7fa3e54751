"""The check that the log is not behind its own outputs.

A record in an output partition that carries this shard's name and a number above the log's own
was published from frames the log no longer holds: its tail was lost after it had been synced.
"""

from collections.abc import Iterable, Mapping

import msgspec
from confluent_kafka import Message

from system.errors import Halt
from system.inputs import Inputs
from system.marks import Marks, Place
from system.messages import where
from system.records import EVENTS, Numbered, decode_event, decode_validated
from system.ubscore.state import State


def acknowledged(state: State, places: Iterable[Place]) -> dict[Place, int]:
    """Return the offset behind the last acknowledged record of each partition."""
    known = {(d.topic, d.partition): d.offset + 1 for d in state.mark.delivered}
    return {place: known.get(place, 0) for place in places}


def verify(
    inputs: Inputs, state: State, shard: int, after: Mapping[Place, int], marks: Marks
) -> None:
    """Read this shard's outputs from the mark to the end; halt if any is unknown to the log."""
    starts: dict[str, dict[int, int]] = {}
    ends: dict[str, dict[int, int]] = {}
    for (topic, partition), offset in after.items():
        low, high = marks[topic, partition]
        if offset > high:
            raise Halt(
                "output_lost",
                f"{topic}[{partition}] ends at {high}, but {offset - 1} was acknowledged",
            )
        start = max(low, offset)
        if start < high:
            starts.setdefault(topic, {})[partition] = start
            ends.setdefault(topic, {})[partition] = high
    for topic, of_topic in starts.items():
        for message in inputs.scan(topic, of_topic, ends[topic]):
            _compare(message, state, shard)


def demand_none(inputs: Inputs, shard: int, places: Iterable[Place]) -> None:
    """Halt if this shard ever published anything; other shards may have."""
    for (topic, partition), (low, high) in inputs.watermarks(places).items():
        for message in inputs.scan(topic, {partition: low}, {partition: high}):
            if decode(message).shard == shard:
                raise Halt(
                    "output_past",
                    f"{where(message)} holds a record of this shard, whose log is not here",
                )


def _compare(message: Message, state: State, shard: int) -> None:
    place, record = where(message), decode(message)
    if record.shard != shard:
        return
    last = state.number(message.partition() or 0, message.topic() or "")
    if record.n > last:
        raise Halt(
            "output_ahead",
            f"{place} is this shard's number {record.n}, the log ends at {last}:"
            " the log has lost its tail; restore the data directory",
        )
    if record.epoch >= state.epoch.counter:  # this opening has not published anything yet
        raise Halt("output_ahead", f"{place} is of epoch {record.epoch}, which the log never had")


def decode(message: Message) -> Numbered:
    """Read a record of ours back; one that cannot be read is a halt."""
    read = decode_event if message.topic() == EVENTS else decode_validated
    try:
        record: Numbered = read(message.value() or b"")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Halt("output_unreadable", f"{where(message)}: {error}") from None
    return record
