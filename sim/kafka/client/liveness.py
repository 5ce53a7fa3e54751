"""What keeps a member in its group: heartbeats to the coordinator, polls by the program.

Source: rdkafka_cgrp.c (`rd_kafka_cgrp_heartbeat`, `rd_kafka_cgrp_max_poll_interval_check_tmr_cb`).
**Faithful**: the first heartbeat comes with the assignment, unless the last is less than an
interval old; heartbeats go on while callbacks wait to be served, and stop while joining; a member
that was not answered within `session.timeout.ms` considers its partitions lost; whether the
program polls is looked at twice a second.
**Simplified**: nothing known.
"""

from typing import TYPE_CHECKING, Any

from sim.kafka.client import codes
from sim.kafka.entities import HeartbeatRequest
from sim.kernel import MILLISECOND
from sim.timer import Timer

if TYPE_CHECKING:
    from sim.kafka.client.consumer import Consumer
    from sim.kafka.client.group import Group

HEARTBEATING = frozenset({"wait-assign-call", "steady", "wait-unassign-call"})
_POLL_CHECK = 500 * MILLISECOND


class Pulse:
    """The heartbeats of one member."""

    def __init__(self, consumer: "Consumer", group: "Group") -> None:
        self._consumer = consumer
        self._group = group
        self._timer: Timer | None = None
        self._heard_at = 0
        self._due_at = 0  # an interval after the last heartbeat, whatever became of the group
        self._sent = False

    def heard(self) -> None:
        """Note that the coordinator knows us."""
        self._heard_at = self._consumer.kernel.now

    def begin(self) -> None:
        """Send a heartbeat as soon as an interval has passed since the last, and so on."""
        self.stop()
        consumer = self._consumer
        wait = max(self._due_at - consumer.kernel.now, 0)
        self._timer = consumer.process.after(wait, self._beat)

    def stop(self) -> None:
        """Send none."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _beat(self) -> None:
        consumer = self._consumer
        if self._group.state not in HEARTBEATING or not self._group.member_id or consumer.closed:
            return
        self._due_at = consumer.kernel.now + consumer.settings.heartbeat
        self.begin()
        silent = consumer.kernel.now - self._heard_at
        if silent > consumer.settings.session_timeout:
            self._group.member_id = ""
            self._heard_at = consumer.kernel.now
            self._group.rebalance(lost=True)
            return
        if self._sent or not consumer.coordinator.ready:
            return
        self._sent = True
        request = HeartbeatRequest(
            group_id=consumer.settings.group_id,
            generation_id=self._group.generation,
            member_id=self._group.member_id,
            group_instance_id=consumer.settings.instance_id,
        )
        consumer.coordinator.request(request, self._beaten, consumer.settings.session_timeout)

    def _beaten(self, code: int, response: Any) -> None:
        self._sent = False
        consumer = self._consumer
        if response is not None:
            code = int(response.error_code)
        if self._group.state not in HEARTBEATING:
            return
        if not code:
            self._heard_at = consumer.kernel.now
        elif code == codes.REBALANCE_IN_PROGRESS:
            self._heard_at = consumer.kernel.now
            self._group.rebalance(lost=False)
        elif code == codes.ILLEGAL_GENERATION:
            self._group.rebalance(lost=True)
        elif code == codes.UNKNOWN_MEMBER_ID:
            self._group.member_id = ""
            self._group.rebalance(lost=True)
        elif code == codes.FENCED_INSTANCE_ID:
            self._group.fenced()
        else:
            consumer.coordinator.heard(code)


class PollWatch:
    """Sees whether the program polls often enough."""

    def __init__(self, consumer: "Consumer", group: "Group") -> None:
        self._consumer = consumer
        self._group = group
        self._timer: Timer | None = None

    def begin(self) -> None:
        """Begin to look whether the program polls often enough."""
        consumer = self._consumer
        if self._timer is None and not consumer.closed:
            due = consumer.polled_at + consumer.settings.max_poll_interval
            ticks = -((consumer.born - due) // _POLL_CHECK)
            wait = consumer.born + ticks * _POLL_CHECK - consumer.kernel.now
            self._timer = consumer.process.after(max(wait, _POLL_CHECK), self._check)

    def _check(self) -> None:
        self._timer = None
        consumer = self._consumer
        if not self._group.subscription:
            return
        limit = consumer.settings.max_poll_interval
        late = consumer.kernel.now - consumer.polled_at - limit
        if consumer.polling or late <= 0:
            self.begin()
            return
        text = (
            f"Application maximum poll interval ({limit // MILLISECOND}ms) exceeded by "
            f"{late // MILLISECOND}ms"
        )
        consumer.failed(codes.MAX_POLL_EXCEEDED, text)
        if self._group.state in HEARTBEATING:
            self._group.leave()
            self._group.rebalance(lost=True)
