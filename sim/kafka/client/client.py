"""What producers, consumers and admin clients have in common: brokers, metadata, events.

Source: rdkafka.c. **Faithful**: nothing connects before it is needed; errors of brokers reach the
program only through `error_cb`, when one of its threads asks for events.
"""

import random
from collections.abc import Callable
from typing import Any, NamedTuple

from sim.kafka.client import codes
from sim.kafka.client.broker import Broker
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
        self.brokers: list[Broker] = []
        self.by_id: dict[int, Broker] = {}
        for host, port in settings.bootstrap:
            self._add_broker(host, port)
        self.metadata = Metadata(self)
        self._spun_at = -1
        self._spins = 0

    def any_broker(self) -> Broker:
        """Return a broker with a connection, at random; else one that can be tried."""
        if not self.brokers:
            self._add_broker("no-bootstrap-servers-configured", 9092)
        up = [broker for broker in self.brokers if broker.up]
        if up:
            return up[int(self.random.random() * len(up))]
        now = self.kernel.now
        ready = [broker for broker in self.brokers if broker.reconnect_at <= now]
        if ready:
            return ready[int(self.random.random() * len(ready))]
        return min(self.brokers, key=lambda broker: broker.reconnect_at)

    def learn_broker(self, node_id: int, host: str, port: int) -> None:
        """Take a broker from metadata: one of that address gets the id."""
        known = self.by_id.get(node_id)
        if known is None:
            known = next((b for b in self.brokers if (b.host, b.port) == (host, port)), None)
            known = known or self._add_broker(host, port)
            known.node_id = node_id
            self.by_id[node_id] = known
        elif (known.host, known.port) != (host, port):
            known.host, known.port = host, port

    def broker_up(self, broker: Broker) -> None:
        """Learn that `broker` has a connection."""

    def broker_down(self, broker: Broker, *, first_time: bool) -> None:  # noqa: ARG002
        """Learn that `broker` has lost its connection, or did not get one."""
        if first_time and not self.closed and all(known.down_reported for known in self.brokers):
            count = len(self.brokers)
            self.report(codes.ALL_BROKERS_DOWN, f"{count}/{count} brokers are down")

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

    def _add_broker(self, host: str, port: int) -> Broker:
        broker = Broker(self, host, port)
        self.brokers.append(broker)
        return broker
