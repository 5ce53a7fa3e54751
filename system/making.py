"""`init`: makes the data directory of one program, once in its life.

`python -m system init --config FILE` takes the program's own file: a section [ubscore] or [engine]
says whose directory it is.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import ClassVar, Generic, TypeVar

import msgspec
from confluent_kafka import Consumer

from system import exits, kafka
from system.config import Kafka
from system.directory import DataDirectory, Identity
from system.errors import Halt
from system.inputs import Inputs, Patience
from system.log import Log
from system.marks import Place

I = TypeVar("I", bound=Identity)  # noqa: E741 - a type


class Making(ABC, Generic[I]):
    """Makes a data directory; refuses one that exists, and a Kafka whose past does not fit."""

    name: ClassVar[str] = "init"
    Config: ClassVar[type[msgspec.Struct]]
    group: ClassVar[str]

    def __init__(self, directory: DataDirectory[I], kafka_at: Kafka, patience: Patience) -> None:
        self.directory = directory
        self.kafka = kafka_at
        self.patience = patience
        self.log = Log(self.name)

    def stop(self) -> None:
        """Nothing to do: it ends by itself, and an interrupted one is simply run again."""

    def run(self) -> int:
        """Check Kafka, make the directory and what lies in it, and seal it last of all."""
        self.directory.make()
        self.directory.lock()
        try:
            self.directory.refuse_finished()
            identity = self.survey()
            self.check()
            self.fill(identity)
            self.directory.seal(identity)
        finally:
            self.directory.unlock()
        self.log.info("initialised", data=self.directory.path, **self.about(identity))
        return exits.OK

    @abstractmethod
    def survey(self) -> I:
        """Ask Kafka what the directory would belong to."""

    @abstractmethod
    def demand(self, inputs: Inputs) -> None:
        """Halt if what is in Kafka already does not allow a new directory."""

    @abstractmethod
    def about(self, identity: I) -> Mapping[str, int]:
        """Return what the log tells of a directory's owner."""

    def fill(self, identity: I) -> None:
        """Put into the directory what the program finds there at its first start: nothing."""

    def check(self) -> None:
        """Look at Kafka with a consumer that consumes nothing."""
        consumer = Consumer(kafka.consumer(self.kafka, self.name, self.group))
        self.demand(Inputs(consumer, self.kafka, self.patience, lambda *_: 0, self.log))
        consumer.close()


def demand_beginnings(inputs: Inputs, places: Iterable[Place]) -> None:
    """Halt unless each log begins at 0."""
    for (topic, partition), (low, _) in inputs.watermarks(places).items():
        if low > 0:
            raise Halt("input_past", f"{topic}[{partition}] begins at {low}, not at 0")
