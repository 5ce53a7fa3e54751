"""`engine-init`: makes the data directory of one engine instance.

An instance that lost its directory may be given a new one as long as its input is there from the
very first record: everything is computed again and compared with what was published.
"""

from typing import ClassVar

import msgspec
from confluent_kafka import Consumer

from system import exits, kafka
from system.directory import DataDirectory
from system.engine.cluster import Instance, survey
from system.engine.settings import GROUP, Settings
from system.errors import Halt
from system.inputs import Inputs
from system.log import Log
from system.records import ORDERS


class Init:
    """Makes a data directory; refuses one that exists, and input whose beginning is gone."""

    name: ClassVar[str] = "engine-init"
    Config: ClassVar[type[msgspec.Struct]] = Settings

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.log = Log(self.name)
        self.directory = DataDirectory(settings.engine.data, Instance, self.name)

    def stop(self) -> None:
        """Nothing to do: it ends by itself, and an interrupted one is simply run again."""

    def run(self) -> int:
        """Check Kafka, make the directory, and seal it last of all."""
        self.directory.make()
        self.directory.lock()
        try:
            self.directory.refuse_finished()
            identity = survey(self.settings)
            self.demand_beginning()
            self.directory.seal(identity)
        finally:
            self.directory.unlock()
        self.log.info("initialised", data=self.directory.path, instance=identity.instance)
        return exits.OK

    def demand_beginning(self) -> None:
        """Halt unless all inputs begin at 0."""
        own = self.settings
        consumer = Consumer(kafka.consumer(own.kafka, self.name, GROUP))
        inputs = Inputs(consumer, own.kafka, own.engine.patience, lambda *_: 0, self.log)
        places = [(ORDERS, number) for number in own.owned]
        for (topic, number), (low, _) in inputs.watermarks(places).items():
            if low > 0:
                raise Halt("input_past", f"{topic}[{number}] begins at {low}, not at 0")
        consumer.close()
