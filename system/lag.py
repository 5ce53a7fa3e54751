"""Consumer lag: how many records of a partition a group has still to take in.

All programs tell it under one name, so that one question shows every topic, partition and group.
It is what the consumer itself knows: the end of the log as of its last fetch. A program that is
down tells nothing, and its absence is another alert.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import KafkaException, TopicPartition

from system.instruments import Instruments
from system.marks import Place

_EVERY_S = 1.0


class Lag:
    """The lag of one consumer, brought up to date now and then."""

    def __init__(self, instruments: Instruments, group: str) -> None:
        self._group = group
        self._gauge = instruments.gauge(
            "kafka_consumer_lag_records",
            "Records of a partition that a group has not taken in yet.",
            "group",
            "topic",
            "partition",
        )
        self._shown_at_s = float("-inf")

    def show(self, consumer: Any, next_offsets: Callable[[], Mapping[Place, int]]) -> None:
        """Show how far the ends of the logs lie beyond what is taken in; no broker is asked."""
        now_s = time.monotonic()
        if now_s - self._shown_at_s < _EVERY_S:
            return
        self._shown_at_s = now_s
        for (topic, partition), offset in next_offsets().items():
            try:
                place = TopicPartition(topic, partition)
                _, end = consumer.get_watermark_offsets(place, cached=True)
            except KafkaException:
                continue  # nothing was fetched yet
            if end >= 0:
                self._gauge.labels(self._group, topic, str(partition)).set(max(0, end - offset))

    def clear(self) -> None:
        """Forget partitions that are somebody else's now."""
        self._gauge.clear()
        self._shown_at_s = float("-inf")
