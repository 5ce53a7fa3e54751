"""What the real librdkafka sees of a broker that is killed under load; its own interpreter."""

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.sim.tcp.kafka.served import Served

MESSAGES, PARTITIONS, KILLS = 3000, 2, 2


def produce(broker: Served, conf: dict[str, Any]) -> list[set[bytes]]:
    """Send while the broker is killed and started; return what was acknowledged."""
    producer = Producer(conf | {"enable.idempotence": True, "linger.ms": 1, "acks": "all"})
    acknowledged: list[set[bytes]] = [set() for _ in range(PARTITIONS)]

    def delivered(error: Any, message: Any) -> None:
        assert error is None, error
        acknowledged[message.partition()].add(message.value())

    def kill() -> None:
        for _ in range(KILLS):
            time.sleep(0.3)
            broker.kill()
            broker.start()

    killer = threading.Thread(target=kill)
    killer.start()
    sent = 0
    while sent < MESSAGES or killer.is_alive():
        producer.produce("t", b"%d" % sent, partition=sent % PARTITIONS, on_delivery=delivered)
        producer.poll(0)
        sent += 1
        if sent % 20 == 0:
            time.sleep(0.002)
    killer.join()
    assert producer.flush(30) == 0
    return acknowledged


def read(conf: dict[str, Any], ends: list[int]) -> list[list[bytes]]:
    """Return everything there is."""
    consumer = Consumer(conf | {"group.id": "reader", "enable.auto.commit": False})
    consumer.assign([TopicPartition("t", i, 0) for i in range(PARTITIONS)])
    rows: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
    until = time.monotonic() + 20
    while [len(each) for each in rows] != ends and time.monotonic() < until:
        for message in consumer.consume(1000, 0.1):
            assert message.error() is None
            rows[message.partition() or 0].append(message.value() or b"")
    consumer.commit(offsets=[TopicPartition("t", 0, 17, metadata="m")], asynchronous=False)
    consumer.close()
    return rows


def main(path: Path) -> dict[str, Any]:
    with Served(path) as broker:
        conf: dict[str, Any] = {"bootstrap.servers": broker.bootstrap, "log_level": 0}
        admin = AdminClient(conf)
        for future in admin.create_topics([NewTopic("t", PARTITIONS, 1)]).values():
            future.result(10)
        cluster = broker.ready["cluster_id"]
        acknowledged = produce(broker, conf)
        watcher = Consumer(conf | {"group.id": "watcher"})
        ends = [watcher.get_watermark_offsets(TopicPartition("t", i), 10)[1] for i in (0, 1)]
        watcher.close()
        rows = read(conf, ends)
        broker.kill()
        broker.start()
        again = read(conf, ends)
        looker = Consumer(conf | {"group.id": "reader"})
        committed = looker.committed([TopicPartition("t", 0), TopicPartition("t", 1)], 10)
        looker.close()
        return {
            "lost": sum(len(a - set(b)) for a, b in zip(acknowledged, rows, strict=True)),
            "twice": sum(len(b) - len(set(b)) for b in rows),
            "in order": all(b == sorted(b, key=int) for b in rows),
            "unchanged": rows == again,
            "committed": [(each.offset, each.metadata) for each in committed],
            "same cluster": broker.ready["cluster_id"] == cluster,
            "ended": broker.end(),
        }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
