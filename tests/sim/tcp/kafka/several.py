"""What the real librdkafka sees of three brokers and a controller; needs its own interpreter."""

import json
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.sim.tcp.kafka.served import Served

Seen = dict[str, Any]
IDS = (1, 2, 3)


def wait_for(done: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not done():
        assert time.monotonic() < until
        time.sleep(0.02)


def create(conf: Seen, name: str, partitions: int, timeout: float = 10) -> str | None:
    admin = AdminClient(conf)
    topic = NewTopic(name, partitions, 1)
    (future,) = admin.create_topics([topic], operation_timeout=timeout).values()
    refusal = future.exception(20)
    assert refusal is None or isinstance(refusal, KafkaException)
    return refusal.args[0].name() if refusal is not None else None


def leaders(conf: Seen, topic: str) -> dict[int, int]:
    found = AdminClient(conf).list_topics(topic, timeout=10).topics[topic]
    return {index: part.leader for index, part in found.partitions.items()}


def epochs(conf: Seen, topic: str) -> list[int | None]:
    """Return the leader epoch of the last record of each partition."""
    consumer = Consumer(conf | {"group.id": "epochs", "auto.offset.reset": "earliest"})
    found: list[int | None] = []
    for index in range(3):
        _, end = consumer.get_watermark_offsets(TopicPartition(topic, index), 10)
        consumer.assign([TopicPartition(topic, index, end - 1)])
        message = consumer.poll(10)
        assert message is not None
        assert message.error() is None
        found.append(message.leader_epoch())
    consumer.close()
    return found


def send(conf: Seen, topic: str, value: bytes) -> None:
    producer = Producer(conf | {"enable.idempotence": True, "linger.ms": 0})
    errors: list[Any] = []
    for index in range(3):
        producer.produce(topic, value, partition=index, on_delivery=lambda e, _: errors.append(e))
    assert producer.flush(20) == 0
    assert errors == [None, None, None]


def commit(conf: Seen) -> list[int]:
    """Commit for groups that live on each of the brokers; return what is found again."""
    found = []
    for name in ("a", "b", "c", "d"):
        consumer = Consumer(conf | {"group.id": name})
        consumer.commit(offsets=[TopicPartition("t", 0, ord(name))], asynchronous=False)
        found.append(consumer.committed([TopicPartition("t", 0)], 10)[0].offset)
        consumer.close()
    return found


def main(path: Path) -> Seen:
    seen: Seen = {}
    with ExitStack() as stack:
        enter = stack.enter_context
        controller = enter(Served(path / "c", role="controller", brokers=IDS, controller_port=0))
        address = f"127.0.0.1:{controller.ready['controller_port']}"
        brokers = {
            i: enter(Served(path / str(i), broker_id=i, brokers=IDS, controller=address))
            for i in IDS
        }
        conf: Seen = {"log_level": 0, "bootstrap.servers": brokers[2].bootstrap}
        seen["created"] = create(conf, "t", 3)
        seen["again"] = create(conf, "t", 3)
        seen["leaders"] = sorted(leaders(conf, "t").values())
        send(conf, "t", b"one")
        seen["epochs"] = epochs(conf, "t")
        victim = leaders(conf, "t")[0]
        brokers[victim].kill()
        brokers[victim].start()
        send(conf, "t", b"two")
        seen["epochs after a kill"] = epochs(conf, "t")
        seen["committed"] = commit(conf)
        controller.kill()
        send(conf, "t", b"three")
        seen["without a controller"] = create(conf, "u", 1, 0.5)
        controller.start()
        seen["with one again"] = create(conf, "u", 1)
        seen["epochs unchanged"] = epochs(conf, "t") == seen["epochs after a kill"]
        seen["ended"] = [each.end() for each in (*brokers.values(), controller)]
    return seen


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
