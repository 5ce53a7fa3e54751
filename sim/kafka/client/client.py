"""What producers, consumers and admin clients have in common: brokers, metadata, events.

Source: rdkafka.c. **Faithful**: errors of brokers reach the program only
through `error_cb`, when one of its threads asks for events.
"""

import random
from collections.abc import Callable
from typing import Any, NamedTuple

from sim.kafka.client import codes
from sim.kafka.client.broker import Broker
from sim.kafka.client.brokers import Brokers
from sim.kafka.client.configuration import Callbacks, Settings
from sim.kafka.client.metadata import Metadata, TopicView
from sim.kafka.client.wheel import fail
from sim.kafka.protocol import milliseconds
from sim.kernel import MICROSECOND
from sim.process import Process

_SPINS = 100  # polls without waiting at one instant before time goes on
_SPIN_NS = 50 * MICROSECOND


class Trouble(NamedTuple):
    """An error for `error_cb`."""

    code: int
    text: str
    fatal: bool = False


class Throttle(NamedTuple):
    """A quota that was exceeded, for `throttle_cb`."""

    broker: str
    node_id: int
    milliseconds: int


class Client:
    """One handle of the library, living in one incarnation of a program."""

    def __init__(self, process: Process, settings: Settings, callbacks: Callbacks) -> None:
        self.process = process
        self.kernel = process.kernel
        self.settings = settings
        self.callbacks = callbacks
        made = process.doors.setdefault("confluent_kafka", {"clients": 0})
        made["clients"] += 1
        self.name = f"{settings.client_id}#{settings.kind}-{made['clients']}"
        self.random: random.Random = process.stream("kafka")
        self.closed = False
        self._down_told = False  # that all brokers are down
        self.brokers = Brokers(self)
        self.by_id = self.brokers.by_id
        self.metadata = Metadata(self)
        process.after(0, self.brokers.connect)
        self._spun_at = -1
        self._spins = 0

    def broker_up(self, broker: Broker) -> None:  # noqa: ARG002
        """Learn that `broker` has a connection."""
        self._down_told = False

    def broker_down(self, broker: Broker, *, first_time: bool) -> None:  # noqa: ARG002
        """Learn that `broker` has lost its connection, or did not get one."""
        if self.closed:
            return
        if first_time and self.all_down():
            if not self._down_told:
                count = len(self.brokers)
                self.report(codes.ALL_BROKERS_DOWN, f"{count}/{count} brokers are down")
                self._down_told = True
            self.brokers.begin_again()
        self.brokers.watch()

    def all_down(self) -> bool:
        """Whether every known broker was tried, and none is there."""
        return all(known.down_reported for known in self.brokers)

    def leaderless(self) -> bool:
        """Whether there are partitions whose leader is unknown, or cannot be reached."""
        return False

    def broker_gone(self, broker: Broker) -> None:
        """Learn that `broker` was given up."""

    def metadata_came(self) -> None:
        """Learn that metadata have been taken."""

    def broker_room(self, broker: Broker) -> None:
        """Learn that a request that waited for `broker` has left."""

    def is_urgent(self, view: TopicView) -> bool:
        """Whether metadata must be asked for again soon because of this topic."""
        return not view.complete

    def topic_seen(self, view: TopicView) -> None:
        """Learn what metadata says of a topic in use."""

    def report(self, code: int, text: str) -> None:
        """Let `error_cb` know, when the program asks for events."""

    def throttled(self, broker: Broker, response: Any) -> None:
        """Let `throttle_cb` know of a response that was held back for a quota."""
        time = getattr(response, "throttle_time", None)
        if time:
            self.throttle(Throttle(broker.name, broker.node_id, milliseconds(time)))

    def throttle(self, event: Throttle) -> None:
        """Queue an event for `throttle_cb`."""

    def close(self) -> None:
        """Drop all connections; nothing is sent any more."""
        self.closed = True
        for broker in self.brokers:
            broker.close()

    def pause_if_spinning(self) -> None:
        """Let time go on for a program that asks without waiting, again and again."""
        now = self.kernel.now
        if now != self._spun_at:
            self._spun_at, self._spins = now, 0
            return
        self._spins += 1
        if self._spins >= _SPINS:
            self.kernel.sleep(_SPIN_NS)

    def call(self, start: Callable[[Callable[..., None]], Any], timeout: float) -> tuple[Any, ...]:
        """Block until the callback given to `start` is called; return its arguments.

        Raises `_TIMED_OUT` if that takes longer than `timeout` seconds; negative is for ever.
        """
        event = self.kernel.event()

        def done(*answer: Any) -> None:
            if not event.triggered:
                event.succeed(answer)

        start(done)
        if not self.kernel.wait(event, None if timeout < 0 else int(timeout * 1_000_000_000)):
            fail(codes.TIMED_OUT)
        assert event.value is not None
        return tuple(event.value)
