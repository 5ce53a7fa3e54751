"""A broker for tests that is not ours: the mock cluster inside librdkafka, on a real TCP port."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

PARTITIONS = 4  # what the mock cluster creates


@contextmanager
def broker() -> Generator[tuple[str, Producer]]:
    """Yield a bootstrap address, and the producer in which the broker lives."""
    settings = {"test.mock.num.brokers": 1, "bootstrap.servers": "mock:1", "log_level": 0}
    producer = Producer({**settings, "partitioner": "murmur2_random"})
    brokers = producer.list_topics(timeout=10).brokers.values()
    yield ",".join(f"{one.host}:{one.port}" for one in brokers), producer


def consumed(bootstrap: str, topic: str, count: int) -> list[tuple[Any, Any, dict[str, Any]]]:
    """Return key, value and headers of the first records of a topic."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "test"})
    consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
    found = consumer.consume(count, timeout=5)
    consumer.close()
    return [(m.key(), m.value(), dict(m.headers() or {})) for m in found]


def committed(bootstrap: str, group: str, topic: str) -> dict[int, tuple[int, str | None]]:
    """Return offset and metadata of a group's commits by partition."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group})
    partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    found = consumer.committed(partitions, timeout=10)
    consumer.close()
    return {one.partition: (one.offset, one.metadata) for one in found if one.offset >= 0}
