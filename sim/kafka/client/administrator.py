"""The admin client: requests to the right broker, retried until their time is over.

Source: rdkafka_admin.c. **Faithful**: topics are changed through the controller, groups through
their coordinator, offsets through leaders; a broker that cannot be reached is waited for until
`request_timeout` is over, which is `socket.timeout.ms` by default.
**Simplified**: operations run in a thread each, instead of one main loop.
"""

from functools import partial
from typing import Any

from sim.kafka.client import codes
from sim.kafka.client.broker import Broker
from sim.kafka.client.client import Client, Throttle, Trouble
from sim.kafka.client.configuration import Callbacks, Settings
from sim.kafka.client.inbox import Inbox
from sim.kafka.client.wheel import KafkaException, fail, text_of
from sim.kafka.entities import FindCoordinatorRequest
from sim.kernel import MILLISECOND, SECOND
from sim.process import Process

_ASK_AGAIN = 100 * MILLISECOND


class Administrator(Client):
    """An admin client in one incarnation of a program. Its methods block the calling thread."""

    def __init__(self, process: Process, settings: Settings, callbacks: Callbacks) -> None:
        super().__init__(process, settings, callbacks)
        self.inbox: Inbox[Trouble | Throttle] = Inbox(self.kernel)

    def report(self, code: int, text: str) -> None:
        """Queue an error for `error_cb`."""
        self.inbox.put(Trouble(code, text))

    def throttle(self, event: Throttle) -> None:
        """Queue an event for `throttle_cb`."""
        self.inbox.put(event)

    def until(self, timeout: float) -> int:
        """Return when a request with this timeout is over."""
        limit = int(timeout * SECOND) if timeout >= 0 else self.settings.socket_timeout
        return self.kernel.now + limit

    def ask(self, body: Any, until: int, broker: Broker | None = None) -> Any:
        """Return a broker's answer (any broker's, if none is named)."""
        while True:
            left = until - self.kernel.now
            if left <= 0:
                fail(
                    codes.TIMED_OUT,
                    "Failed while waiting for response from broker: Local: Timed out",
                )
            asked = broker or self.brokers.some()
            asked = self.by_id.get(asked.node_id, asked)  # it may be a new one of that id
            try:
                code, response = self.call(
                    partial(asked.request, body, timeout_ns=left), left / SECOND
                )
            except KafkaException:
                continue
            if response is not None:
                return response
            if code == codes.TRANSPORT:
                fail(code, f"Request failed: {text_of(code)}")
            self.kernel.sleep(min(_ASK_AGAIN, max(until - self.kernel.now, 1)))

    def refresh(self, until: int, *topics: str) -> Any:
        """Return fresh metadata of brokers and some topics."""
        while True:
            left = until - self.kernel.now
            if left <= 0:
                fail(codes.TIMED_OUT, "Failed while waiting for metadata: Local: Timed out")
            try:
                _, response = self.call(
                    partial(self.metadata.fetch, topics, timeout=left), left / SECOND
                )
            except KafkaException:
                continue
            if response is not None:
                return response
            self.kernel.sleep(min(_ASK_AGAIN, max(until - self.kernel.now, 1)))

    def controller(self, until: int) -> Broker:
        """Return the broker that changes topics."""
        while self.metadata.controller_id not in self.by_id:
            self.refresh(until)
        return self.by_id[self.metadata.controller_id]

    def coordinator(self, group: str, until: int) -> Broker:
        """Return the coordinator of `group`."""
        while True:
            response = self.ask(FindCoordinatorRequest(key=group, key_type=0), until)
            if not response.error_code:
                node = int(response.node_id)
                return self.brokers.add(response.host, response.port, node)
            self.kernel.sleep(min(_ASK_AGAIN, max(until - self.kernel.now, 1)))

    def leader(self, topic: str, partition: int, until: int) -> Broker | int:
        """Return the leader of a partition, or an error code."""
        self.refresh(until, topic)
        view = self.metadata.topics[topic]
        if view.error:
            return view.error
        if not 0 <= partition < len(view.partitions):
            return codes.UNKNOWN_PARTITION
        return self.by_id.get(view.partitions[partition].leader, codes.LEADER_NOT_AVAILABLE)
