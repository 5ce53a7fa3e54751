"""`init`: makes the data directory of one shard, once in its life."""

import os
from typing import ClassVar

import msgspec
from confluent_kafka import Consumer

from system import exits, kafka
from system.errors import ConfigError, Halt, LogError
from system.log import Log
from system.records import EVENTS, OPERATIONS
from system.ubscore import cluster
from system.ubscore.directory import DataDirectory, sync_directory
from system.ubscore.inputs import Inputs
from system.ubscore.settings import GROUP, Settings
from system.wal import reader
from system.wal.writer import Shape, Writer


class Init:
    """Makes a data directory; refuses one that exists, and a Kafka that has a past."""

    name: ClassVar[str] = "init"
    Config: ClassVar[type[msgspec.Struct]] = Settings

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.log = Log(self.name)
        self.directory = DataDirectory(settings.ubscore.data)

    def stop(self) -> None:
        """Nothing to do: it ends by itself, and an interrupted one is simply run again."""

    def run(self) -> int:
        """Check Kafka, make directory and log, and seal them last of all."""
        self.make()
        self.directory.lock()
        try:
            if self.directory.identity() is not None:
                raise ConfigError(
                    f"{self.directory.path} exists; a data directory is made only once"
                )
            identity = cluster.survey(self.settings)
            self.demand_no_past()
            self.format(Shape(identity.shard, identity.identity, self.settings.ubscore.file_bytes))
            self.directory.seal(identity)
        finally:
            self.directory.unlock()
        self.log.info("initialised", data=self.directory.path, shard=identity.shard)
        return exits.OK

    def make(self) -> None:
        """Make the directory itself, durably."""
        path = self.directory.path
        try:
            os.makedirs(path, mode=0o700, exist_ok=True)
            sync_directory(os.path.dirname(os.path.abspath(path)))
        except OSError as error:
            raise LogError(f"making {path}: {error}") from error

    def demand_no_past(self) -> None:
        """Halt unless all inputs begin at 0 and this shard never published anything."""
        consumer = Consumer(kafka.consumer(self.settings.kafka, self.name, GROUP))
        inputs = Inputs(consumer, self.settings, OPERATIONS, lambda _: 0, self.log)
        for partition in self.settings.owned:
            low, _ = inputs.watermarks(OPERATIONS, partition)
            if low > 0:
                raise Halt("input_past", f"{OPERATIONS}[{partition}] begins at {low}, not at 0")
            _, high = inputs.watermarks(EVENTS, partition)
            if high > 0:
                raise Halt(
                    "output_past",
                    f"{EVENTS}[{partition}] holds records of a shard whose log is not here",
                )
        consumer.close()

    def format(self, shape: Shape) -> None:
        """Make an empty log; what an interrupted `init` left behind is removed first."""
        writer = Writer(self.directory.path, shape)
        writer.clean()
        left = reader.read_directory(self.directory.path)
        if left and reader.read(left).frames:
            raise ConfigError(f"{self.directory.path} holds a log without its seal; look at it")
        writer.discard(tuple(left))
        writer.format()
