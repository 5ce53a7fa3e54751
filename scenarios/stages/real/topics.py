"""The topics as they are on the brokers: read from their start, as committed transactions show.

The reader assigns partitions to itself; it joins no group and commits nothing.
"""

import time
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from reports.evidence import TopicRecord
from scenarios.backends.base import Backend
from scenarios.stages.progress import Progress
from system import topics

_ASK_S = 2.0
_END = KafkaError._PARTITION_EOF  # noqa: SLF001 - public all the same
_BATCH = 1000
_WAIT_MS = 50


class Topics:
    """Reads all topics, on and on."""

    def __init__(self, backend: Backend, partitions: int) -> None:
        self.places = [(topic, p) for topic in topics.ALL for p in range(partitions)]
        self.records: dict[tuple[str, int], list[TopicRecord]] = {p: [] for p in self.places}
        self._ends = dict.fromkeys(self.places, 0)  # where a partition's end was met
        self.progress = Progress()
        settings = {
            "bootstrap.servers": ",".join(str(broker.address) for broker in backend.brokers),
            "group.id": "wavetank-reader",  # the client wants one; nobody joins it
            "client.id": "wavetank-reader",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": _WAIT_MS,
            "log_level": 0,
            **backend.kafka_options,
        }
        self._asker = Consumer(settings)  # questions would wait behind the other's long polls
        self._consumer = Consumer(settings)
        self._consumer.assign([TopicPartition(topic, p, 0) for topic, p in self.places])

    def close(self) -> None:
        """Let go of the connections."""
        self._consumer.close()
        self._asker.close()

    def drain(self, wait_s: float = 0.0) -> set[tuple[str, int]]:
        """Take what has arrived; return the partitions whose end was reached."""
        ended = set()
        for message in self._consumer.consume(_BATCH, wait_s):
            error = message.error()
            place = (message.topic() or "", message.partition() or 0)
            if error is None:
                self.records[place].append(_record(message))
                self.progress.take(place[0], message.value() or b"")
            elif error.code() == _END:
                self._ends[place] = message.offset() or 0
                ended.add(place)
        return ended

    def read_to_end(self, timeout_s: float) -> list[str]:
        """Read every partition up to its present end; say which could not be."""
        deadline = time.monotonic() + timeout_s
        ends = self._ends_by(deadline)
        while time.monotonic() < deadline and any(
            self.position(*p) < end for p, end in ends.items()
        ):
            self.drain(0.1)
        left = [p for p in self.places if p not in ends or self.position(*p) < ends[p]]
        return [f"{topic}/{partition}: not read to its end" for topic, partition in left]

    def _ends_by(self, deadline: float) -> dict[tuple[str, int], int]:
        ends: dict[tuple[str, int], int] = {}
        while len(ends) < len(self.places) and time.monotonic() < deadline:
            for place in self.places:
                if place not in ends:
                    end = self.end(*place)
                    if end is not None:
                        ends[place] = end
        return ends

    def end(self, topic: str, partition: int) -> int | None:
        """Return a partition's end; None if nobody says."""
        try:
            return self._asker.get_watermark_offsets(TopicPartition(topic, partition), _ASK_S)[1]
        except KafkaException:
            return None

    def all(self) -> list[TopicRecord]:
        """Return every record read, in order."""
        return [record for place in self.places for record in self.records[place]]

    def position(self, topic: str, partition: int) -> int:
        """Return up to where all was read: offsets at the end may hold no record."""
        records = self.records[topic, partition]
        return max(self._ends[topic, partition], records[-1].offset + 1 if records else 0)


def _record(message: Any) -> TopicRecord:
    epoch = message.leader_epoch()
    return TopicRecord(
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        key=message.key(),
        value=message.value(),
        headers=tuple((name, value or b"") for name, value in message.headers() or ()),
        timestamp_ms=message.timestamp()[1],
        leader_epoch=-1 if epoch is None else epoch,
    )
