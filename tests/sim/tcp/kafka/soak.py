"""Three brokers and a controller, killed at random under load: what was lost, doubled, reordered.

`python -m tests.sim.tcp.kafka.soak [SECONDS] [SEED]` ends with 0 if nothing was.
"""

import random
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.sim.tcp.kafka.served import Served

IDS, PARTITIONS = (1, 2, 3), 6
SMALL = {"segment.bytes": "20000"}  # so that segments roll all the time
Conf = dict[str, Any]


class Killer(threading.Thread):
    """Kills one process after another and starts it again."""

    def __init__(self, servers: list[Served], seed: int) -> None:
        super().__init__()
        self.servers = servers
        self.random = random.Random(seed)
        self.kills = 0
        self.enough = threading.Event()

    def run(self) -> None:
        while not self.enough.wait(self.random.uniform(0.5, 2)):
            victim = self.random.choice(self.servers)
            victim.kill()
            time.sleep(self.random.uniform(0, 0.5))
            victim.start()
            self.kills += 1


class Load:
    """An idempotent producer, and a member of a group that reads what it sends."""

    def __init__(self, conf: Conf) -> None:
        small = {"linger.ms": 2, "batch.size": 15_000}
        self.producer = Producer(conf | small | {"enable.idempotence": True})
        self.consumer = Consumer(conf | {"group.id": "live", "auto.offset.reset": "earliest"})
        self.consumer.subscribe(["t"])
        self.sent = 0
        self.acknowledged: list[set[bytes]] = [set() for _ in range(PARTITIONS)]
        self.seen: set[bytes | None] = set()

    def run(self, seconds: float) -> None:
        """Send and read for a while."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for _ in range(20):
                value, partition = b"%d" % self.sent, self.sent % PARTITIONS
                self.producer.produce("t", value, partition=partition, on_delivery=self._delivered)
                self.sent += 1
            self.producer.poll(0)
            self._read(0.01)

    def end(self) -> None:
        """Send and read the rest."""
        assert self.producer.flush(60) == 0
        until = time.monotonic() + 60
        while len(self.seen) < self.sent and time.monotonic() < until:
            self._read(0.2)
        self.consumer.close()

    def _delivered(self, error: Any, message: Any) -> None:
        assert error is None, error
        self.acknowledged[message.partition()].add(message.value())

    def _read(self, seconds: float) -> None:
        for message in self.consumer.consume(1000, seconds):
            if message.error() is None:
                self.seen.add(message.value())


def everything(conf: Conf) -> list[list[bytes]]:
    """Return the values of each partition."""
    consumer = Consumer(conf | {"group.id": "everything"})
    places = [TopicPartition("t", index, 0) for index in range(PARTITIONS)]
    total = sum(consumer.get_watermark_offsets(place, 20)[1] for place in places)
    consumer.assign(places)
    rows: list[list[bytes]] = [[] for _ in places]
    while sum(map(len, rows)) < total:
        for message in consumer.consume(1000, 0.2):
            rows[message.partition() or 0].append(message.value() or b"")
    consumer.close()
    return rows


def main(seconds: float, seed: int) -> int:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        path, enter = Path(folder), stack.enter_context
        controller = enter(Served(path / "c", role="controller", brokers=IDS, controller_port=0))
        address = f"127.0.0.1:{controller.ready['controller_port']}"
        brokers = [
            enter(Served(path / str(i), broker_id=i, brokers=IDS, controller=address)) for i in IDS
        ]
        conf: Conf = {"bootstrap.servers": ",".join(each.bootstrap for each in brokers)}
        conf["log_level"] = 0
        admin = AdminClient(conf)
        admin.create_topics([NewTopic("t", PARTITIONS, 1, config=SMALL)])["t"].result(10)
        load, killer = Load(conf), Killer([controller, *brokers], seed)
        killer.start()
        load.run(seconds)
        killer.enough.set()
        killer.join()
        load.end()
        rows = everything(conf)
    pairs = list(zip(load.acknowledged, rows, strict=True))
    wrong = {
        "acknowledged and lost": sum(len(known - set(found)) for known, found in pairs),
        "there twice": sum(len(found) - len(set(found)) for found in rows),
        "partitions out of order": sum(found != sorted(found, key=int) for found in rows),
        "not read by the group": load.sent - len(load.seen),
    }
    print(f"{killer.kills} kills, {load.sent:,} messages sent, {sum(map(len, rows)):,} there")
    print(", ".join(f"{count} {what}" for what, count in wrong.items()))
    return 1 if any(wrong.values()) else 0


if __name__ == "__main__":
    sys.exit(main(float((sys.argv[1:] or ["60"])[0]), int((sys.argv[2:] or ["1"])[0])))
