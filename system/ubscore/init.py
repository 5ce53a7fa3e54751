"""`init`: makes the data directory of one shard, once in its life."""

from typing import ClassVar

import msgspec
from confluent_kafka import Consumer

from system import exits, kafka
from system.directory import DataDirectory
from system.errors import ConfigError, Halt
from system.inputs import Inputs
from system.log import Log
from system.ubscore import outputs
from system.ubscore.cluster import Shard, survey
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
        self.directory = DataDirectory(settings.ubscore.directory, Shard)

    def stop(self) -> None:
        """Nothing to do: it ends by itself, and an interrupted one is simply run again."""

    def run(self) -> int:
        """Check Kafka, make directory and log, and seal them last of all."""
        self.directory.make()
        self.directory.lock()
        try:
            self.directory.refuse_finished()
            identity = survey(self.settings)
            self.demand_no_past()
            self.format(Shape(identity.shard, identity.identity, self.settings.ubscore.file_bytes))
            self.directory.seal(identity)
        finally:
            self.directory.unlock()
        self.log.info("initialised", data=self.directory.path, shard=identity.shard)
        return exits.OK

    def demand_no_past(self) -> None:
        """Halt unless all inputs begin at 0 and this shard never published anything."""
        own = self.settings
        consumer = Consumer(kafka.consumer(own.kafka, self.name, GROUP))
        inputs = Inputs(consumer, own.kafka, own.ubscore.patience, lambda *_: 0, self.log)
        for (topic, partition), (low, _) in inputs.watermarks(own.inputs).items():
            if low > 0:
                raise Halt("input_past", f"{topic}[{partition}] begins at {low}, not at 0")
        outputs.demand_none(inputs, own.ubscore.shard, own.outputs)
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
