"""Load straight to the operations topic: what a gateway would publish, without a gateway."""

import random
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from confluent_kafka import KafkaError, Message, Producer

from scenarios.backends.base import Backend
from scenarios.load.requests import Requests
from scenarios.load.samples import OK, Samples
from scenarios.load.sending import Burst, Sender
from system import kafka
from system.config import Kafka
from system.records import OPERATIONS

_SECOND = 10**9
_SOON_S = 0.001
_LAST_S = 30.0  # for what is on its way after the last request
_HURRY_S = 3.0  # the same when interrupted
_LINGER_MS = 5


class ThroughTopic(Sender):
    """One idempotent producer, with the settings of the gateway's."""

    def __init__(
        self,
        backend: Backend,
        samples: Samples,
        requests: Requests,
        stream: random.Random,
        now: Callable[[], int],
    ) -> None:
        super().__init__(samples, requests, stream, now)
        keys = {"bootstrap": backend.bootstrap, "linger_ms": _LINGER_MS, **backend.kafka_keys}
        self._settings = kafka.producer(msgspec.convert(keys, Kafka), "wavetank-load")
        self._again: deque[tuple[int, bytes, bytes]] = deque()

    def send(self, burst: Burst) -> None:
        """Send until the burst is over, then wait for the last reports."""
        producer = Producer(self._settings)
        for at in self.due(burst):
            self._until(producer, at)
            number, request = self.begin(at)
            self._produce(producer, number, *request.record())
        deadline = time.monotonic() + (_LAST_S if not self.stopped else _HURRY_S)
        while (len(producer) or self._again) and time.monotonic() < deadline:
            self._repeat(producer)
            producer.poll(0.05)
        producer.close()

    def _until(self, producer: Any, at_ns: int) -> None:
        producer.poll(0)
        self._repeat(producer)
        while (left_s := (at_ns - self.now()) / _SECOND) > 0 and not self.stopped:
            if left_s > _SOON_S:
                producer.poll(min(left_s, 0.1))  # returns early when there is a report
            else:
                time.sleep(left_s)

    def _repeat(self, producer: Any) -> None:
        while self._again:
            self._produce(producer, *self._again.popleft())

    def _produce(self, producer: Any, number: int, key: bytes, value: bytes) -> None:
        report = partial(self._delivered, number, key, value)
        while True:
            try:
                producer.produce(OPERATIONS, value, key, on_delivery=report)
            except BufferError:  # full: the delay counts, since it is counted from the plan
                producer.poll(0.05)
                self.answers["local queue full"] += 1
            else:
                return

    def _delivered(
        self, number: int, key: bytes, value: bytes, error: KafkaError | None, _: Message
    ) -> None:
        if error is None:
            self.answers["delivered"] += 1
            self.samples.acknowledged[number] = self.now()
            self.samples.answer[number] = OK
            return
        self.answers[error.name()] += 1
        if not self.stopped:
            self._again.append((number, key, value))  # its key makes that safe
