"""The engine at a desk: the real program over a real directory, with a small Kafka in memory."""

from pathlib import Path
from typing import Any, cast

from confluent_kafka import Consumer

from system.config import Kafka
from system.directory import DataDirectory
from system.engine import Engine
from system.engine.cluster import Instance
from system.engine.settings import Matching, Settings
from system.records import ORDERS, OUTPUTS, Validated, encode
from system.topics import key_of, partition_of
from tests.system.small_kafka import PARTITIONS, Broker, DeskOutbox, Reader

IDENTITY = Instance(
    instance=1,
    instances=1,
    partitions=PARTITIONS,
    cluster_id="c",
    topic_ids={ORDERS: "o", OUTPUTS: "e"},
    identity=7,
)


class Desk(Engine):
    """An engine over the broker in memory."""

    outbox_type = DeskOutbox

    def __init__(self, settings: Settings, broker: Broker) -> None:
        super().__init__(settings)
        self.broker = broker
        cast("DeskOutbox", self.outbox).broker = broker

    def survey(self) -> Instance:
        return IDENTITY

    def connect(self) -> None:
        self.inputs = self.make_inputs(cast("Consumer", Reader(self.broker)))

    def settle(self) -> None:
        """Step until nothing is left to do."""
        for _ in range(50):
            self.step()


def settings(directory: Path, **own: Any) -> Settings:
    matching = Matching(data=str(directory), **{"lag_ms": 1, "idle_ms": 1, **own})
    return Settings(engine=matching, kafka=Kafka(bootstrap="k:1", connect_timeout_ms=100))


def made(directory: Path) -> Path:
    """A data directory as `init` leaves it."""
    DataDirectory(str(directory), Instance).seal(IDENTITY)
    return directory


def opened(directory: Path, broker: Broker, **own: Any) -> Desk:
    desk = Desk(settings(directory, **own), broker)
    try:
        desk.open()
    except BaseException:
        kill(desk)
        raise
    return desk


def kill(desk: Desk) -> None:
    """What the operating system does when the process dies."""
    desk.directory.unlock()


def send(broker: Broker, *records: Validated) -> None:
    for record in records:
        key = key_of(record.symbol_id)
        broker.append(ORDERS, partition_of(key, PARTITIONS), key, encode(record))


def outputs(broker: Broker) -> list[bytes]:
    return broker.published(OUTPUTS)
