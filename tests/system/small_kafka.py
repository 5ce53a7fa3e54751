"""A small Kafka in memory: partitions as lists, a producer that reports when polled, a consumer."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from confluent_kafka import OFFSET_BEGINNING, KafkaError, Producer, TopicPartition

from system.outbox import Outbox
from system.records import EVENTS, OPERATIONS, Operation, encode
from system.topics import key_of, partition_of
from system.tracing import Headers

NOW_MS = 1_700_000_000_000
PARTITIONS = 4


class Record:
    """A stored record; also what a consumer gets."""

    def __init__(
        self,
        topic: str,
        partition: int,
        offset: int,
        key: bytes,
        value: bytes,
        headers: Headers | None = None,
    ) -> None:
        self._place = (topic, partition, offset)
        self._key, self._value, self._headers = key, value, headers

    def topic(self) -> str:
        return self._place[0]

    def partition(self) -> int:
        return self._place[1]

    def offset(self) -> int:
        return self._place[2]

    def key(self) -> bytes:
        return self._key

    def value(self) -> bytes:
        return self._value

    def headers(self) -> Headers | None:
        return self._headers

    def error(self) -> None:
        return None

    def leader_epoch(self) -> int:
        return 0

    def timestamp(self) -> tuple[int, int]:
        return (2, NOW_MS)


@dataclass
class Broker:
    """Partitions as lists; refuses appends while `away`."""

    logs: dict[tuple[str, int], list[Record]] = field(default_factory=lambda: defaultdict(list))
    starts: dict[tuple[str, int], int] = field(default_factory=dict)  # what retention left
    away: bool = False
    lose_answers: bool = False

    def append(
        self,
        topic: str,
        partition: int,
        key: bytes,
        value: bytes,
        headers: Headers | None = None,
    ) -> Record:
        log = self.logs[topic, partition]
        log.append(Record(topic, partition, len(log), key, value, headers))
        return log[-1]

    def order(self, *commands: Operation) -> None:
        for command in commands:
            key = key_of(command.user_id)
            self.append(OPERATIONS, partition_of(key, PARTITIONS), key, encode(command))

    def published(self, topic: str = EVENTS) -> list[bytes]:
        return [r.value() for p in range(PARTITIONS) for r in self.logs[topic, p]]


class Sender:
    """Stands for a Producer: reports when polled."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.reports: list[Callable[[], None]] = []

    def produce(
        self,
        topic: str,
        value: bytes,
        key: bytes,
        partition: int,
        *,
        headers: Headers | None,
        on_delivery: Callable[..., None],
    ) -> None:
        failed = KafkaError(KafkaError._MSG_TIMED_OUT)
        if self.broker.away:
            self.reports.append(lambda: on_delivery(failed, None))
            return
        record = self.broker.append(topic, partition, key, value, headers)
        error = failed if self.broker.lose_answers else None
        self.reports.append(lambda: on_delivery(error, record))

    def poll(self, timeout: float = 0) -> int:
        due, self.reports = self.reports, []
        for report in due:
            report()
        return len(due)

    def purge(self) -> None:
        pass

    def close(self) -> None:
        self.poll()


class Reader:
    """Stands for a Consumer that was given its positions."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.places: dict[tuple[str, int], int] = {}

    def assign(self, places: list[TopicPartition]) -> None:
        self.places = {(p.topic, p.partition): p.offset for p in places}

    def unassign(self) -> None:
        self.places = {}

    def poll(self, timeout: float = 0) -> Record | None:
        for place, offset in self.places.items():
            if offset < len(self.broker.logs[place]):
                self.places[place] = offset + 1
                return self.broker.logs[place][offset]
        return None

    def consume(self, count: int, timeout: float) -> list[Record]:
        found: list[Record] = []
        while len(found) < count and (record := self.poll()) is not None:
            found.append(record)
        return found

    def offsets_for_times(
        self, places: list[TopicPartition], timeout: float
    ) -> list[TopicPartition]:
        starts, logs = self.broker.starts, self.broker.logs
        return [
            TopicPartition(p.topic, p.partition, starts.get((p.topic, p.partition), 0))
            if p.offset == OFFSET_BEGINNING
            else TopicPartition(p.topic, p.partition, len(logs[p.topic, p.partition]))
            for p in places
        ]

    def get_watermark_offsets(self, place: TopicPartition, *, cached: bool) -> tuple[int, int]:
        assert cached
        log = self.broker.logs[place.topic, place.partition]
        return self.broker.starts.get((place.topic, place.partition), 0), len(log)

    def commit(self, **_: Any) -> None:
        pass

    def close(self) -> None:
        pass


class DeskOutbox(Outbox):
    """An outbox over the broker in memory; it retries at once."""

    broker: Broker

    def connect(self) -> Producer:
        return cast("Producer", Sender(self.broker))

    def failed(self, why: str) -> None:
        super().failed(why)
        self._retry_at_s = 0.0
