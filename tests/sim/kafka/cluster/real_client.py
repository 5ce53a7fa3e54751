"""What the real librdkafka sees of the simulated brokers, as JSON; needs its own interpreter."""

import json
import time
from collections.abc import Callable
from typing import Any

from confluent_kafka import OFFSET_END, Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._listoffsets import OffsetSpec
from confluent_kafka.cimpl import NewTopic

from sim.kafka.cluster.settings import Settings
from tests.sim.kafka.cluster.on_tcp import TcpCluster

Seen = dict[str, Any]
Conf = dict[str, Any]


def administer(conf: Conf, seen: Seen) -> None:
    admin = AdminClient(conf)
    stamped = {"message.timestamp.type": "LogAppendTime"}
    topics = [NewTopic("t", 3, 1), NewTopic("late", 1, 1, config=stamped)]
    for future in admin.create_topics(topics).values():
        future.result(10)
    for name, topic in {
        "bad config": NewTopic("bad", 1, 1, config={"nonsense": "1"}),
        "twice": NewTopic("t", 1, 1),
        "two replicas": NewTopic("two", 1, 2),
    }.items():
        (future,) = admin.create_topics([topic]).values()
        refusal = future.exception(10)
        assert isinstance(refusal, KafkaException)
        seen[name] = refusal.args[0].name()
    resource = ConfigResource("topic", "late")
    configs = admin.describe_configs([resource])[resource].result(10)
    seen["described"] = configs["message.timestamp.type"].value
    listed = admin.list_topics(timeout=10)
    seen["topics"] = {name: len(topic.partitions) for name, topic in listed.topics.items()}
    seen["brokers"] = len(listed.brokers)


def produce(conf: Conf, world: TcpCluster, seen: Seen) -> None:
    reports: list[tuple[bool, int]] = []
    producer = Producer(conf | {"enable.idempotence": True, "linger.ms": 1})

    def delivered(error: Any, message: Any) -> None:
        reports.append((error is None, message.timestamp()[0]))

    for i in range(300):
        if i in (60, 120):
            producer.flush(10)
            world.lose = 2
        if i == 180:
            world.restart("127.0.0.2")
        headers: Any = [("h", b"%d" % i), ("n", None)]
        producer.produce("t", b"v%d" % i, b"k", i % 3, headers=headers, on_delivery=delivered)
        producer.poll(0)
    producer.produce("late", value=None, key="\u043a", on_delivery=delivered)
    seen["unflushed"] = producer.flush(20)
    seen["lost"] = world.lose
    seen["reports"] = sorted((ok, kind, reports.count((ok, kind))) for ok, kind in set(reports))


def consume(conf: Conf, seen: Seen) -> None:
    group = {"group.id": "g", "auto.offset.reset": "earliest", "enable.auto.commit": False}
    first = Consumer(conf | group | {"client.id": "one"})
    second = Consumer(conf | group | {"client.id": "two"})
    for consumer in (first, second):
        consumer.subscribe(["t"])
    rows: dict[int, list[Any]] = {0: [], 1: [], 2: []}

    def poll() -> bool:
        for message in first.consume(500, 0.05) + second.consume(500, 0.05):
            partition = message.partition()
            assert message.error() is None
            assert partition is not None
            rows[partition].append((message.offset(), message.value()))
        return len(rows[0] + rows[1] + rows[2]) >= 300

    wait_for(poll)
    wait_for(lambda: poll() and bool(first.assignment()) and bool(second.assignment()))
    seen["members"] = sorted(len(c.assignment()) for c in (first, second))
    expected = [[(k, b"v%d" % (3 * k + p)) for k in range(100)] for p in range(3)]
    seen["as sent"] = [sorted(set(rows[p])) == expected[p] for p in range(3)]
    offsets = [TopicPartition("t", 0, 40, metadata="why"), TopicPartition("t", 1, 100)]
    first.commit(offsets=offsets, asynchronous=False)
    kept = second.committed([TopicPartition("t", i) for i in range(3)], 10)
    seen["committed"] = [(each.offset, each.metadata) for each in kept]
    seen["watermarks"] = first.get_watermark_offsets(TopicPartition("t", 0), 10)
    ends = [TopicPartition("t", i, OFFSET_END) for i in range(3)]
    seen["ends"] = [each.offset for each in first.offsets_for_times(ends, 10)]
    try:
        offsets = [TopicPartition("t", 0, 1, metadata="x" * 5000)]
        first.commit(offsets=offsets, asynchronous=False)
    except KafkaException as error:
        seen["long metadata"] = error.args[0].name()
    first.close()
    second.close()


def look_closer(conf: Conf, seen: Seen) -> None:
    consumer = Consumer(conf | {"group.id": "fresh", "auto.offset.reset": "error"})
    consumer.assign([TopicPartition("late", 0, 0)])
    message = consumer.poll(10)
    assert message is not None
    seen["tombstone"] = (repr(message.key()), message.value(), message.timestamp()[0])
    admin = AdminClient(conf)
    low = admin.delete_records([TopicPartition("t", 0, 10)])
    seen["low"] = [future.result(10).low_watermark for future in low.values()]
    consumer.assign([TopicPartition("t", 0, 3)])
    message = consumer.poll(10)
    assert message is not None
    error = message.error()
    seen["below the start"] = error.name() if error is not None else None
    consumer.close()
    groups = admin.list_consumer_groups().result(10).valid
    seen["groups"] = sorted((group.group_id, group.state.name) for group in groups)
    newest_of: Any = OffsetSpec.max_timestamp
    newest = admin.list_offsets({TopicPartition("t", 2): newest_of()})
    seen["newest"] = [0 <= future.result(10).offset < 100 for future in newest.values()]
    for future in admin.delete_consumer_groups(["g"]).values():
        future.result(10)
    for future in admin.delete_topics(["late"]).values():
        future.result(10)
    seen["left"] = sorted(admin.list_topics(timeout=10).topics)


def wait_for(done: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not done():
        assert time.monotonic() < until


def main() -> Seen:
    world = TcpCluster(Settings(group_initial_rebalance_delay_ms=100))
    conf: Conf = {"bootstrap.servers": world.bootstrap, "log_level": 0}
    seen: Seen = {}
    administer(conf, seen)
    produce(conf, world, seen)
    consume(conf, seen)
    look_closer(conf, seen)
    seen["apis"] = sorted(set(world.seen))
    return seen


if __name__ == "__main__":
    print(json.dumps(main()))
