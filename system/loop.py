"""The loop of a program that reads partitions of its own and publishes what it makes of them.

UBSCore and the matching engine are such programs: they take the data directory, restore what they
knew, check Kafka against it, and then step until they are stopped.
"""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import msgspec
from confluent_kafka import Consumer

from system import cluster, exits, kafka
from system.config import Kafka
from system.directory import DataDirectory, Identity
from system.errors import Halt
from system.inputs import Inputs, Patience
from system.kafka import Troubles
from system.log import Log
from system.outbox import Outbox

BUSY_WAIT_S = 0.1  # while delivery reports are due

I = TypeVar("I", bound=Identity)  # noqa: E741 - a type


class Limits(Protocol):
    """How much is taken in at a time, and how long is waited for what."""

    @property
    def batch(self) -> int:
        """Records taken in at a time, at most."""

    @property
    def idle_ms(self) -> int:
        """How long to wait for input at a time."""

    @property
    def unacknowledged_max(self) -> int:
        """Records on their way out before input has to wait."""

    @property
    def stop_ms(self) -> int:
        """How long a stop waits for acknowledgements."""

    @property
    def patience(self) -> Patience:
        """How long the input is waited for."""


class Loop(ABC, Generic[I]):
    """One process; safe to kill between any two lines."""

    name: ClassVar[str]
    Config: ClassVar[type[msgspec.Struct]]
    group: ClassVar[str]  # its offsets are for dashboards only
    outbox_type: ClassVar[type[Outbox]] = Outbox

    def __init__(self, limits: Limits, kafka_at: Kafka, directory: DataDirectory[I]) -> None:
        self.limits = limits
        self.kafka = kafka_at
        self.directory = directory
        self.log = Log(self.name)
        self.outbox = self.outbox_type(self._client(kafka.producer(kafka_at, self.name)), self.log)
        self.inputs: Inputs
        self.stopping = False
        self.halting: Halt | None = None

    def stop(self) -> None:
        """End gracefully after the batch in hand."""
        self.stopping = True

    def run(self) -> int:
        """Serve until stopped."""
        with self.serving():
            self.open()
            while not self.stopping:
                self.step()
            self.close()
        return exits.OK

    @abstractmethod
    def serving(self) -> AbstractContextManager[None]:
        """Serve the metrics while the block runs, where that is configured."""

    @abstractmethod
    def open(self) -> None:
        """Become ready for the first step."""

    @abstractmethod
    def step(self) -> None:
        """Take a batch and do with it what is to be done."""

    @abstractmethod
    def close(self) -> None:
        """Wait for acknowledgements, and let go of everything."""

    @abstractmethod
    def survey(self) -> I:
        """Ask Kafka what a data directory of this process would belong to."""

    @abstractmethod
    def next_offset(self, topic: str, partition: int) -> int:
        """Return the offset of the next record that an owned partition owes us."""

    def identify(self) -> I:
        """Take the directory; check that it, the configuration and Kafka belong together."""
        found = self.survey()
        self.directory.lock()
        stored = self.directory.owner()
        cluster.compare(stored, found)
        return stored

    def connect(self) -> None:
        """Make the consumer; it is told its positions, and never asks for them."""
        settings = kafka.consumer(self.kafka, self.name, self.group)
        self.inputs = self.make_inputs(Consumer(self._client(settings)))

    def make_inputs(self, consumer: Consumer) -> Inputs:
        """Return what reads the input."""
        return Inputs(consumer, self.kafka, self.limits.patience, self.next_offset, self.log)

    def room(self) -> int:
        """Return how many records may be taken; waits while too much is on its way out."""
        while len(self.outbox.waiting) >= self.limits.unacknowledged_max and not self.stopping:
            self.outbox.poll(BUSY_WAIT_S)
        return self.limits.batch

    def patience_s(self) -> float:
        """Return how long to wait for input: not long while delivery reports are due."""
        idle_s = self.limits.idle_ms / 1000
        return min(idle_s, BUSY_WAIT_S) if self.outbox.waiting else idle_s

    def halt_if_due(self) -> None:
        """Halt over the last record that was read, once what came before it is published."""
        if self.halting is not None:
            self.drain()
            raise self.halting

    def drain(self) -> bool:
        """Wait until everything is acknowledged; return whether it was."""
        return self.outbox.drain(self.limits.stop_ms / 1000)

    def release(self) -> None:
        """Let go of producer, consumer and directory."""
        self.outbox.discard()
        self.inputs.consumer.close()
        self.directory.unlock()

    def _client(self, settings: dict[str, Any]) -> dict[str, Any]:
        return {**settings, "error_cb": Troubles(self.log)}
