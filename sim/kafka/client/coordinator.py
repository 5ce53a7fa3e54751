"""The coordinator of a consumer's group: found, connected to, lost and found again.

Source: rdkafka_cgrp.c (`rd_kafka_cgrp_coord_*`), rdkafka_coord.c. **Faithful**: a connection of
its own, beside the one to the same broker for fetches; asked for again every 500 ms while unknown.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sim.kafka.client import codes
from sim.kafka.client.broker import Answered, Broker
from sim.kafka.entities import FindCoordinatorRequest
from sim.kernel import MILLISECOND

if TYPE_CHECKING:
    from sim.kafka.client.consumer import Consumer

_ASK_AGAIN = 500 * MILLISECOND
_DEAD = frozenset({codes.COORDINATOR_NOT_AVAILABLE, codes.NOT_COORDINATOR})


class Coordinator:
    """Whom requests of the group go to."""

    def __init__(self, consumer: "Consumer") -> None:
        self._consumer = consumer
        self.broker: Broker | None = None
        self._asking = False
        self._waiting: list[Callable[[], None]] = []

    @property
    def ready(self) -> bool:
        """Whether it is known and connected."""
        return self.broker is not None and self.broker.up

    def when_ready(self, function: Callable[[], None]) -> None:
        """Call `function` once the coordinator is there."""
        if self.ready:
            function()
        else:
            self._waiting.append(function)
            self.find()

    def find(self) -> None:
        """Ask who it is, unless known or being asked."""
        consumer = self._consumer
        if self._asking or consumer.closed:
            return
        if self.broker is not None:
            self.broker.connect()
            return
        self._asking = True
        request = FindCoordinatorRequest(key=consumer.settings.group_id, key_type=0)
        consumer.brokers.some().request(request, self._found)

    def request(self, body: Any, answered: Answered, timeout_ns: int | None = None) -> None:
        """Send a request, at once or never; `WAIT_COORD` if there is nobody to send it to."""
        if self.broker is None or not self.broker.up:
            answered(codes.WAIT_COORD, None)
            self.find()
        else:
            self.broker.request(body, answered, timeout_ns)

    def heard(self, code: int) -> None:
        """Learn from an error of a response that it may be another broker by now."""
        if code in _DEAD and self.broker is not None:
            self.drop()

    def up(self) -> None:
        """Let everybody go on who waited."""
        waiting, self._waiting = self._waiting, []
        for function in waiting:
            function()

    def drop(self) -> None:
        """Forget it and ask again."""
        broker, self.broker = self.broker, None
        if broker is not None:
            broker.close()
        self._consumer.process.after(_ASK_AGAIN, self.find)

    def close(self) -> None:
        """Close the connection."""
        if self.broker is not None:
            self.broker.close()

    def _found(self, code: int, response: Any) -> None:
        self._asking = False
        if response is not None:
            code = int(response.error_code)
        if code:
            self._consumer.process.after(_ASK_AGAIN, self.find)
            return
        self.broker = Broker(self._consumer, response.host, response.port, int(response.node_id))
        self.broker.label = "GroupCoordinator"
        self.broker.connect()
