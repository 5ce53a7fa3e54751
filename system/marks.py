"""Where the logs of partitions begin and end.

Two questions to each leader, however many partitions there are; a program that asked for one
partition after the other would spend most of its start waiting for answers.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, KafkaException, TopicPartition

from system.config import Kafka
from system.errors import Unreachable

Place = tuple[str, int]  # topic, partition
Marks = dict[Place, tuple[int, int]]  # the first offset, and the one behind the last


def watermarks(consumer: Any, kafka: Kafka, places: Iterable[Place]) -> Marks:
    """Return where the logs of `places` begin and end."""
    asked = tuple(places)
    if not asked:
        return {}
    starts = _offsets(consumer, kafka, asked, OFFSET_BEGINNING)
    ends = _offsets(consumer, kafka, asked, OFFSET_END)
    return {place: (starts[place], ends[place]) for place in asked}


def reaching(
    consumer: Any, kafka: Kafka, wanted: Mapping[Place, int], *, patience_s: float, pause_s: float
) -> Marks:
    """Return where logs begin and end; an end below the offset is asked again, new leaders lag."""
    deadline_s = time.monotonic() + patience_s
    marks = watermarks(consumer, kafka, wanted)
    while time.monotonic() < deadline_s:
        short = [place for place, offset in wanted.items() if marks[place][1] < offset]
        if not short:
            break
        time.sleep(pause_s)
        marks |= watermarks(consumer, kafka, short)
    return marks


def _offsets(
    consumer: Any, kafka: Kafka, places: Sequence[Place], logical: int
) -> dict[Place, int]:
    """Look offsets up by time: in the protocol, two negative times stand for beginning and end."""
    asked = [TopicPartition(*place, logical) for place in places]
    try:
        found = consumer.offsets_for_times(asked, timeout=kafka.connect_timeout_ms / 1000)
    except KafkaException as error:
        raise _unreachable(kafka, places, error.args[0]) from None
    for each in found:
        if each.error is not None:
            raise _unreachable(kafka, [(each.topic, each.partition)], each.error)
    return {(each.topic, each.partition): each.offset for each in found}


def _unreachable(kafka: Kafka, places: Sequence[Place], error: Any) -> Unreachable:
    names = ", ".join(f"{topic}[{partition}]" for topic, partition in places)
    return Unreachable(f"Kafka at {kafka.bootstrap}: {names}: {error.str()}")
