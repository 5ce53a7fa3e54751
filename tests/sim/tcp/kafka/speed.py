"""One broker process and the real librdkafka: `python -m tests.sim.tcp.kafka.speed`."""

import tempfile
import time
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.sim.tcp.kafka.served import Served

MESSAGES, VALUE = 200_000, b"v" * 200


def produce(conf: dict[str, Any]) -> float:
    """Return messages acknowledged per second."""
    producer = Producer(conf | {"linger.ms": 5})
    failed: list[Any] = []

    def delivered(error: Any, message: Any) -> None:
        if error is not None:
            failed.append(error)

    began = time.perf_counter()
    for sent in range(MESSAGES):
        while True:
            try:
                producer.produce("t", VALUE, on_delivery=delivered)
                break
            except BufferError:
                producer.poll(0.01)
        if sent % 100 == 0:
            producer.poll(0)
    assert producer.flush(60) == 0
    assert not failed
    return MESSAGES / (time.perf_counter() - began)


def one_by_one(conf: dict[str, Any], count: int = 2000) -> float:
    """Return messages per second if each waits for the one before."""
    producer = Producer(conf | {"linger.ms": 0})
    began = time.perf_counter()
    for _ in range(count):
        producer.produce("t", VALUE)
        producer.flush()
    return count / (time.perf_counter() - began)


def consume(conf: dict[str, Any], wanted: int) -> float:
    """Return messages per second, from the start of the partition."""
    consumer = Consumer(conf | {"group.id": "g", "enable.auto.commit": False})
    consumer.assign([TopicPartition("t", 0, 0)])
    found, began = 0, time.perf_counter()
    while found < wanted:
        found += sum(message.error() is None for message in consumer.consume(10_000, 0.1))
    rate = found / (time.perf_counter() - began)
    consumer.close()
    return rate


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Served(Path(folder) / "data") as broker:
        conf: dict[str, Any] = {"bootstrap.servers": broker.bootstrap, "log_level": 0}
        admin = AdminClient(conf)
        admin.create_topics([NewTopic("t", 1, 1)])["t"].result(10)
        kinds: dict[str, dict[str, Any]] = {
            "acks=all": {},
            "idempotent": {"enable.idempotence": True},
            "lz4": {"compression.type": "lz4"},
        }
        for name, more in kinds.items():
            print(f"{name:12} {produce(conf | more):10,.0f} messages/s produced")
        print(f"{'one by one':12} {one_by_one(conf):10,.0f} messages/s produced")
        print(f"{'':12} {consume(conf, 3 * MESSAGES):10,.0f} messages/s consumed")


if __name__ == "__main__":
    main()
