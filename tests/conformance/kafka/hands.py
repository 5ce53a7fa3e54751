"""What programs are given and use: hands that break things, and ways to produce and to read.

They return what they have seen: reports, errors by name, messages, and times in seconds under names
that end in ``_s``.
"""

import time
from collections.abc import Callable
from typing import Any, Protocol

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

Conf = dict[str, Any]
Seen = dict[str, Any]


class Hands(Protocol):
    """What a test can do to the one broker."""

    def lose_answer(self) -> None:
        """Lose the next answer to a Produce, and its connection."""

    def restart(self, after_s: float) -> None:
        """Crash the broker, start it again after a time."""

    def withhold_answers(self) -> None:
        """Let no answer to a Produce out until the broker crashes."""


Program = Callable[[Conf, Hands], Seen]


def name_of(error: KafkaError | None) -> str | None:
    return None if error is None else error.name()


class Reports:
    def __init__(self) -> None:
        self.seen: list[Any] = []
        self._since = time.monotonic()

    def __call__(self, error: KafkaError | None, message: Message) -> None:
        self.seen.append([name_of(error), message.partition(), message.offset()])
        self.last_s = time.monotonic() - self._since


def produced(conf: Conf, values: list[bytes], topic: str = "t", **how: Any) -> Seen:
    producer, reports = Producer(conf), Reports()
    for at, value in enumerate(values):
        producer.produce(
            topic, value, how.get("key"), how.get("partition", 0), reports, how.get("at", 1000) + at
        )
    while len(reports.seen) < len(values):
        producer.poll(0.1)
    return {"reports": reports.seen, "reported_s": reports.last_s}


def fill(conf: Conf, count: int, topic: str = "t") -> None:
    produced(conf, [b"%d" % n for n in range(count)], topic)


def consumer_of(conf: Conf, **more: Any) -> Consumer:
    plain = {"group.id": "g", "auto.offset.reset": "earliest", "enable.auto.commit": False}
    return Consumer(conf | plain | {key.replace("_", "."): value for key, value in more.items()})


def next_of(consumer: Consumer, timeout: float = 10) -> Any:
    message = consumer.poll(timeout)
    if message is None:
        return None
    if error := message.error():
        return error.name()
    return [message.partition(), message.offset()]


def subscribed(consumer: Consumer, topics: list[str], seen: list[Any], who: str) -> None:
    def note(kind: str) -> Callable[[Consumer, list[TopicPartition]], None]:
        return lambda _, parts: seen.append(
            [who, kind, sorted([p.topic, p.partition] for p in parts)]
        )

    consumer.subscribe(topics, on_assign=note("assigned"), on_revoke=note("revoked"))
