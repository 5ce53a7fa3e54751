"""Kafka: the calls of a program's producers and consumers, as ``confluent_kafka`` has them."""

from collections.abc import Callable
from typing import Any

import confluent_kafka
from confluent_kafka import cimpl

from sim.doors.through.watch import Watch

DOORS = frozenset(("kafka.produce", "kafka.delivery", "kafka.poll", "kafka.commit"))
_DONE = 0.5  # from this part on a call counts as done before a fault


def install(watch: Watch) -> None:
    """Put subclasses of the real producer and consumer in their places."""
    Producer.watch = Consumer.watch = watch
    for module in (cimpl, confluent_kafka):
        module.Producer = Producer  # type: ignore[attr-defined]
        module.Consumer = Consumer  # type: ignore[attr-defined]


def _struck(watch: Watch, door: str, subject: str, call: Callable[[], Any]) -> Any:
    """Make a call, with its moment before or after it."""
    strike = watch.strike(door, subject)
    if strike is not None and strike.part < _DONE:
        strike.hit()
        strike = None
    result = call()
    if strike is not None:
        strike.hit()
    return result


class Producer(cimpl.Producer):
    """The real producer, watched."""

    watch: Watch

    def produce(self, topic: str, *args: Any, **named: Any) -> None:
        """Hand over a message."""
        if len(args) > 3:
            raise TypeError("pass callbacks by name: the doors watch on_delivery= and callback=")
        for name in ("callback", "on_delivery"):
            if named.get(name) is not None:
                named[name] = self._watched(named[name])
        produce = super().produce
        _struck(self.watch, "kafka.produce", topic, lambda: produce(topic, *args, **named))

    def _watched(self, callback: Any) -> Any:
        def report(error: Any, message: Any) -> None:
            call = lambda: callback(error, message)  # noqa: E731
            _struck(self.watch, "kafka.delivery", message.topic(), call)

        return report


class Consumer(cimpl.Consumer):
    """The real consumer, watched."""

    watch: Watch

    def poll(self, *args: Any, **named: Any) -> Any:
        """Return the next message."""
        message = super().poll(*args, **named)
        self._handed_out([message] if message is not None else [])
        return message

    def consume(self, *args: Any, **named: Any) -> Any:
        """Return the next messages."""
        messages = super().consume(*args, **named)
        self._handed_out(messages)
        return messages

    def commit(self, *args: Any, **named: Any) -> Any:
        """Commit offsets."""
        commit = super().commit
        topic = self._committed_topic(args, named)
        return _struck(self.watch, "kafka.commit", topic, lambda: commit(*args, **named))

    def _handed_out(self, messages: list[Any]) -> None:
        for message in messages:
            if message.error() is None:
                _struck(self.watch, "kafka.poll", message.topic(), lambda: None)

    def _committed_topic(self, args: tuple[Any, ...], named: dict[str, Any]) -> str:
        message = named.get("message") or (args[0] if args else None)
        if message is not None:
            return str(message.topic())
        places = named.get("offsets") or (args[1] if len(args) > 1 else self.assignment())
        return places[0].topic if places else ""
