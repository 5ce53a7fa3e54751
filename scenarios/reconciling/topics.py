"""Reading topics as nobody: no group is joined, no offset is committed, nothing is created."""

import secrets
import time
from collections.abc import Iterator
from typing import Any

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from reports.live.sources import Entry, Settled, SettledOutputs, Span
from scenarios.errors import Infrastructure, Unreadable, UsageError
from scenarios.heard import Heard, list_topics
from scenarios.reconciling.pace import Pace
from scenarios.reconciling.settings import Kafka
from system.chain import Link
from system.errors import Stop
from system.numbering import decode_metadata
from system.records import EVENTS, ORDERS, OUTPUTS
from system.settlement import chains
from system.topics import ALL

_SPEC: Any = OffsetSpec  # its constructors are untyped
_AT_ONCE = 5_000
_WAIT_S = 0.5
_SILENCE_S = 60.0  # without a record of a partition that must have some: the brokers are gone


class Topics:
    """Kafka as a reader sees it."""

    def __init__(self, kafka: Kafka, pace: Pace) -> None:
        self.kafka = kafka
        self.pace = pace
        self.timeout_s = kafka.timeout_ms / 1000
        self.heard = Heard(kafka.security_protocol)
        client = {**kafka.client(), "error_cb": self.heard}
        # A consumer needs the name of a group; with `assign` and no commit nobody hears of it.
        group = f"wavetank-reconcile-{secrets.token_hex(8)}"
        reading = {
            **client,
            "group.id": group,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 50,  # what is asked for is there: only the very end has to wait
            "fetch.queue.backoff.ms": 50,
            "queued.max.messages.kbytes": 32_768,
        }
        try:
            self.admin: Any = AdminClient(client)
            self.consumer: Any = Consumer(reading)
        except KafkaException as error:
            raise UsageError(f"librdkafka refuses the settings of [kafka]: {_say(error)}") from None
        self.cluster_id = ""
        self.partitions: dict[str, list[int]] = {}

    def find(self) -> None:
        """Find the topics, or say that nobody answers or that they are not there."""
        metadata = self._ask("list the topics", list_topics, self.admin, self.heard, self.timeout_s)
        self.cluster_id = metadata.cluster_id or ""
        for topic in ALL:
            found = metadata.topics.get(topic)
            if found is None or not found.partitions:
                if topic in (ORDERS, OUTPUTS):
                    continue  # nobody trades there
                raise UsageError(
                    f"Kafka at {self.kafka.bootstrap} has no topic {topic}:"
                    " is this the right cluster?"
                )
            self.partitions[topic] = sorted(found.partitions)

    def settled(self) -> tuple[dict[int, Settled], dict[int, SettledOutputs]]:
        """Return what Settlement's group has committed, with the state that belongs to it.

        First of the events, then of the engine's outputs.
        """
        asked = ConsumerGroupTopicPartitions(self.kafka.group)
        futures = self._ask(
            "ask for committed offsets",
            self.admin.list_consumer_group_offsets,
            [asked],
            request_timeout=self.timeout_s,
        )
        answer = self._ask("ask for committed offsets", futures[self.kafka.group].result)
        committed = [f for f in answer.topic_partitions if f.offset >= 0 and f.error is None]
        events = {
            found.partition: Settled(found.offset, _expected(found))
            for found in committed
            if found.topic == EVENTS
        }
        outputs = {
            found.partition: SettledOutputs(found.offset, _links(found))
            for found in committed
            if found.topic == OUTPUTS
        }
        return events, outputs

    def spans(self, topic: str) -> dict[int, Span]:
        """Return what each partition holds now, up to the last stable offset.

        Of a topic that is not there: nothing.
        """
        if topic not in self.partitions:
            return {}
        low = self._offsets(topic, _SPEC.earliest())
        high = self._offsets(topic, _SPEC.latest())
        return {partition: Span(low[partition], high[partition]) for partition in sorted(low)}

    def _offsets(self, topic: str, which: Any) -> dict[int, int]:
        what = f"ask for the ends of {topic}"
        asked = {TopicPartition(topic, p): which for p in self.partitions[topic]}
        answers = self._ask(
            what,
            self.admin.list_offsets,
            asked,
            isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=self.timeout_s,
        )
        return {
            where.partition: self._ask(what, answer.result).offset
            for where, answer in answers.items()
        }

    def entries(self, topic: str, partition: int, low: int, high: int) -> Iterator[Entry]:
        """Yield a partition's records from one offset up to another."""
        if low >= high:
            return
        try:
            yield from self._read(topic, partition, low, high)
        except KafkaException as error:
            raise Unreadable(f"{topic}/{partition} cannot be read: {_say(error)}") from None

    def _read(self, topic: str, partition: int, low: int, high: int) -> Iterator[Entry]:
        self.consumer.assign([TopicPartition(topic, partition, low)])
        heard_s = time.monotonic()
        following = low
        while following < high:
            messages = self.consumer.consume(min(_AT_ONCE, high - following), _WAIT_S)
            for message in messages:
                error = message.error()
                if error is not None:
                    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001
                        return
                    raise _failed(topic, partition, error)
                if message.offset() >= high:
                    return
                following = message.offset() + 1
                yield Entry(message.offset(), message.timestamp()[1], message.value())
            self.pace.take(len(messages))
            if messages:
                heard_s = time.monotonic()
            elif time.monotonic() - heard_s > _SILENCE_S:
                why = self.heard.words("its brokers are silent")
                raise Unreadable(
                    f"{topic}/{partition} gave no record for {_SILENCE_S:.0f} s: {why}"
                )

    def close(self) -> None:
        """Give the connections back."""
        self.consumer.close()

    def _ask(self, what: str, call: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        except KafkaException as error:
            self.admin.poll(0)  # serves what it has to say of its brokers
            why = self.heard.words(_say(error))
            raise Infrastructure(
                f"Kafka at {self.kafka.bootstrap} did not let us {what}: {why}"
            ) from None


def _failed(topic: str, partition: int, error: KafkaError) -> Unreadable:
    if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001
        return Unreadable(
            f"{topic}/{partition}: records were deleted by retention while they were read;"
            " run again"
        )
    return Unreadable(f"{topic}/{partition} cannot be read: {error.str()}")


def _expected(found: TopicPartition) -> dict[int, int] | None:
    try:
        shards = decode_metadata(found.metadata, f"{found.topic}/{found.partition}")
    except Stop:
        return None
    return {shard: expected.n for shard, expected in shards.items()}


def _links(found: TopicPartition) -> dict[int, Link] | None:
    try:
        return chains.decode_metadata(found.metadata, f"{found.topic}/{found.partition}")
    except Stop:
        return None


def _say(error: KafkaException) -> str:
    cause = error.args[0]
    return str(cause.str()) if isinstance(cause, KafkaError) else str(cause)
