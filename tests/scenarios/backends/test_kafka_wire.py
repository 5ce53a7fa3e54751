"""What is said to brokers without a client library, to a broker of ours."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from scenarios.backends import kafka_wire
from scenarios.backends.base import Address
from scenarios.errors import Infrastructure
from tests.sim.tcp.kafka.served import Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path / "data") as served:
        admin = AdminClient({"bootstrap.servers": served.bootstrap})
        for future in admin.create_topics([NewTopic("t", 1, 1)]).values():
            future.result(20)
        yield served


def write(served: Served, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": served.bootstrap})
    producer.produce("t", value, partition=0)
    assert producer.flush(20) == 0


def read(served: Served, count: int) -> list[tuple[int | None, bytes | None]]:
    consumer = Consumer({"bootstrap.servers": served.bootstrap, "group.id": "g"})
    consumer.assign([TopicPartition("t", 0, 0)])
    found = consumer.consume(count, 20)
    consumer.close()
    return [(message.offset(), message.value()) for message in found]


def test_an_offset_that_a_marker_takes_stays_empty_also_after_a_restart(served: Served) -> None:
    here = Address("127.0.0.1", served.ready["port"])
    write(served, b"before")

    assert kafka_wire.mark([Address("127.0.0.1", 1), here], "t", 0) == 1

    write(served, b"after")
    assert read(served, 2) == [(0, b"before"), (2, b"after")]
    served.kill()
    served.start()
    write(served, b"later")
    assert read(served, 3) == [(0, b"before"), (2, b"after"), (3, b"later")]


def test_a_partition_that_nobody_has_is_named(served: Served) -> None:
    here = Address("127.0.0.1", served.ready["port"])

    with pytest.raises(Infrastructure, match=r"t\[7\].*unknown_topic_or_partition"):
        kafka_wire.mark([here], "t", 7)
