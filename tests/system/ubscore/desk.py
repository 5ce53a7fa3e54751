"""UBSCore at a desk: the real program over a real directory, with a small Kafka in memory."""

from pathlib import Path
from typing import Any, cast

from confluent_kafka import Consumer

from system.config import Kafka
from system.directory import DataDirectory
from system.formats import NEWEST, Formats
from system.records import EVENTS, OPERATIONS, ORDERS, OUTPUTS
from system.ubscore import UBSCore
from system.ubscore.cluster import Shard
from system.ubscore.settings import Core, Settings
from system.wal import reader
from system.wal.writer import Shape, Writer
from tests.system.small_kafka import PARTITIONS, Broker, DeskOutbox, Reader

TOPIC_IDS = {OPERATIONS: "o", EVENTS: "e", ORDERS: "v", OUTPUTS: "r"}


def identity(shard: int = 1, shards: int = 1) -> Shard:
    return Shard(
        shard=shard,
        shards=shards,
        partitions=PARTITIONS,
        cluster_id="c",
        topic_ids=TOPIC_IDS,
        identity=6 + shard,
    )


class Desk(UBSCore):
    """UBSCore over the broker in memory."""

    outbox_type = DeskOutbox

    def __init__(self, settings: Settings, broker: Broker) -> None:
        super().__init__(settings)
        self.broker = broker
        cast("DeskOutbox", self.outbox).broker = broker

    def survey(self) -> Shard:
        core = self.settings.ubscore
        return identity(core.shard, core.shards)

    def connect(self) -> None:
        self.inputs = self.make_inputs(cast("Consumer", Reader(self.broker)))

    def settle(self) -> None:
        """Step until nothing is left to do."""
        for _ in range(50):
            self.step()


def settings(directory: Path, *, formats: int = NEWEST, **core: Any) -> Settings:
    return Settings(
        ubscore=Core(data=str(directory), lag_ms=1, idle_ms=1, **core),
        kafka=Kafka(bootstrap="k:1"),
        formats=Formats(version=formats),
    )


def made(directory: Path, shard: int = 1, shards: int = 1) -> Path:
    """A data directory as `init` leaves it."""
    owner = identity(shard, shards)
    directory.mkdir(exist_ok=True)
    Writer(str(directory), Shape(shard, owner.identity, 1 << 20)).format()
    DataDirectory(str(directory), Shard).seal(owner)
    return directory


def opened(directory: Path, broker: Broker, **core: Any) -> Desk:
    desk = Desk(settings(directory, **core), broker)
    try:
        desk.open()
    except BaseException:
        kill(desk)
        raise
    return desk


def kill(desk: Desk) -> None:
    """What the operating system does when the process dies."""
    desk.directory.unlock()


def log_of(directory: Path) -> reader.Contents:
    return reader.read(reader.read_directory(str(directory)))
