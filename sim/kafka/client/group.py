"""Membership in a group: joining, the leader's assignment, heartbeats, rebalances, leaving.

Source: rdkafka_cgrp.c. **Faithful**: the states and what ends them (classic protocol, eager); a
rebalance waits for the program to poll, and is over when it has called assign or unassign; the
first join is refused with a member id; heartbeats go on while callbacks are pending; a member that
was not heard within `session.timeout.ms`, or did not poll within `max.poll.interval.ms` (looked at
twice a second), has lost its partitions; no more than one join a second.
**Simplified**: eager assignors only; topics are subscribed to by name, not by pattern.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from sim.errors import Unmodelled
from sim.kafka.client import codes
from sim.kafka.client.assignors import (
    ASSIGNORS,
    Assignment,
    Member,
    decode_assignment,
    decode_subscription,
)
from sim.kafka.client.group_requests import Rebalance, State, join_request, sync_request
from sim.kafka.client.liveness import PollWatch, Pulse
from sim.kafka.client.wheel import text_of
from sim.kafka.entities import LeaveGroupRequest
from sim.kernel import SECOND
from sim.timer import Timer

if TYPE_CHECKING:
    from sim.kafka.client.consumer import Consumer

_JOIN_INTERVAL = SECOND
_GRACE = 3 * SECOND  # for a JoinGroup beyond max.poll.interval.ms
_LEAVE_WITHIN = 5 * SECOND


class Group:
    """What one consumer is in its group."""

    def __init__(self, consumer: "Consumer") -> None:
        self._consumer = consumer
        self.state: State = "init"
        self.subscription: tuple[str, ...] = ()
        self.generation = -1
        self.member_id = ""
        self.lost = False  # the assignment, while the program has not given it back
        self.leaving = False
        self._subscribed: tuple[str, ...] = ()  # those of the subscription that exist
        self._counts: dict[str, int] = {}  # partitions when we last joined
        self._round = 0  # which join an answer belongs to
        self._joined_at = -_JOIN_INTERVAL
        self._join_timer: Timer | None = None
        self.pulse = Pulse(consumer, self)
        self.poll_watch = PollWatch(consumer, self)
        self._protocol = ""

    def subscribe(self, topics: Sequence[str]) -> None:
        """Replace the subscription."""
        if any(topic.startswith("^") for topic in topics):
            raise Unmodelled("subscribe to a pattern is not modelled; name the topics")
        old, self.subscription = self.subscription, tuple(dict.fromkeys(topics))
        consumer = self._consumer
        consumer.metadata.want(self.subscription)
        self.poll_watch.begin()
        self._find_topics()
        if not old:
            self._join_soon()
        elif old != self.subscription:
            self.rebalance(lost=False)

    def unsubscribe(self) -> None:
        """Give everything up and leave."""
        if not self.subscription:
            return
        self.subscription = self._subscribed = ()
        self.leaving = True
        self.rebalance(lost=False)

    def topics_changed(self) -> None:
        """Look at metadata: topics that appeared, partitions that were added."""
        if not self.subscription:
            return
        self._find_topics()
        counts = self._current_counts()
        if self.state == "init":
            self._join_soon()
        elif counts != self._counts and self.state == "steady":
            self.rebalance(lost=False)

    def rebalance(self, *, lost: bool) -> None:
        """Have the program give its partitions back, then join again (or leave)."""
        if self.state in {"wait-assign-call", "wait-unassign-call", "wait-unassign-done"}:
            return  # one is under way; what is missed is noticed when it is over
        consumer = self._consumer
        partitions = tuple(consumer.assignment)
        if not partitions:
            self._rejoin()
            return
        self.lost = lost
        for tracked in consumer.assignment.values():
            tracked.hold(program=False)
        self.state = "wait-unassign-call"
        consumer.kernel.trace.record(
            "kafka.revoke", consumer.process.label, len(partitions), int(lost)
        )
        consumer.inbox.put(Rebalance(assign=False, partitions=partitions, lost=lost))

    def assigned(self) -> None:
        """Learn that the program has called assign."""
        if self.state != "wait-assign-call":
            return
        self.state = "steady"
        if not self.member_id:
            self.rebalance(lost=True)
        elif not self.subscription or self._current_counts() != self._counts:
            self.rebalance(lost=False)

    def unassigned(self) -> None:
        """Learn that the program has given its partitions back."""
        if self.state == "wait-unassign-call":
            self.state = "wait-unassign-done"
            self.lost = False

    def removals_done(self) -> None:
        """Learn that the last commits of partitions given back are over."""
        if self.state == "wait-unassign-done":
            self._rejoin()

    def fenced(self) -> None:
        """Take note that another member has our instance id: this one is finished."""
        consumer = self._consumer
        text = "Static consumer fenced by other consumer with same group.instance.id"
        consumer.failed(codes.FATAL, f"Fatal error: Broker: {text}")
        self.subscription = ()
        self.rebalance(lost=True)

    def leave(self) -> None:
        """Tell the coordinator that we go; it may not hear of it."""
        consumer = self._consumer
        # The generation stays: a commit that comes now is refused with UNKNOWN_MEMBER_ID.
        member_id, self.member_id = self.member_id, ""
        self.pulse.stop()
        if not member_id or consumer.settings.instance_id:
            return
        request = LeaveGroupRequest(group_id=consumer.settings.group_id, member_id=member_id)
        if consumer.coordinator.ready:
            consumer.coordinator.request(request, self._left, _LEAVE_WITHIN)
            consumer.leaves += 1

    def _left(self, code: int, response: Any) -> None:  # noqa: ARG002
        self._consumer.leaves -= 1
        self._consumer.inbox.stir()

    def _find_topics(self) -> None:
        known = self._consumer.metadata.topics
        self._subscribed = tuple(
            name for name in self.subscription if name in known and not known[name].error
        )

    def _current_counts(self) -> dict[str, int]:
        known = self._consumer.metadata.topics
        return {name: len(known[name].partitions) for name in self._subscribed}

    def _rejoin(self) -> None:
        self.state = "init"
        self.pulse.stop()
        if self.leaving:
            self.leaving = False
            self.leave()
        if self.subscription:
            self._join_soon()
        self._consumer.inbox.stir()

    def _join_soon(self, *, at_once: bool = False) -> None:
        """Join now, or when a second has passed since the last time."""
        consumer = self._consumer
        if self._join_timer is not None:
            self._join_timer.cancel()
        wait = 0 if at_once else self._joined_at + _JOIN_INTERVAL - consumer.kernel.now
        self._join_timer = consumer.process.after(max(wait, 0), self._join)

    def _join(self) -> None:
        consumer = self._consumer
        if self.state != "init" or not self.subscription or consumer.closed:
            return
        if not self._subscribed:
            return  # metadata will tell
        if not consumer.coordinator.ready:
            consumer.coordinator.when_ready(self._join)
            return
        self.state = "wait-join"
        self._round += 1
        self._joined_at = consumer.kernel.now
        self._counts = self._current_counts()
        request = join_request(consumer.settings, self.member_id, self._subscribed)
        limit = consumer.settings.max_poll_interval + _GRACE
        consumer.coordinator.request(request, partial(self._joined, self._round), limit)

    def _joined(self, turn: int, code: int, response: Any) -> None:
        if self.state != "wait-join" or turn != self._round:
            return
        if response is not None:
            code = int(response.error_code)
        if code == codes.MEMBER_ID_REQUIRED:
            self.member_id = response.member_id
            self.state = "init"
            self._join_soon(at_once=True)
            return
        if code:
            self._join_failed(code, "JoinGroup")
            return
        self.pulse.heard()
        self.member_id = response.member_id
        self.generation = response.generation_id
        self._protocol = response.protocol_name
        if response.leader == response.member_id:
            self._lead(response)
        else:
            self._sync({})

    def _lead(self, response: Any) -> None:
        """Ask for metadata of all topics of all members, then share out their partitions."""
        consumer = self._consumer
        members = [
            Member(m.member_id, m.group_instance_id, decode_subscription(m.metadata))
            for m in response.members
        ]
        topics = tuple(dict.fromkeys(topic for member in members for topic in member.topics))
        self.state = "wait-metadata"
        turn = self._round

        def known(code: int, _: Any) -> None:
            if self.state == "wait-metadata" and turn == self._round:
                if code:
                    self._join_failed(code, "Metadata")
                else:
                    self._share_out(members, topics)

        consumer.metadata.fetch(topics, known, consumer.settings.socket_timeout)

    def _share_out(self, members: list[Member], topics: tuple[str, ...]) -> None:
        consumer = self._consumer
        known = consumer.metadata.topics
        counts = {t: len(known[t].partitions) for t in topics if not known[t].error}
        self._sync(ASSIGNORS[self._protocol](members, counts))

    def _sync(self, shares: Assignment) -> None:
        consumer = self._consumer
        self.state = "wait-sync"
        request = sync_request(consumer.settings, self.member_id, self.generation, shares)
        limit = consumer.settings.max_poll_interval + _GRACE
        consumer.coordinator.request(request, partial(self._synced, self._round), limit)

    def _synced(self, turn: int, code: int, response: Any) -> None:
        if self.state != "wait-sync" or turn != self._round:
            return
        if response is not None:
            code = int(response.error_code)
        if code:
            self._join_failed(code, "SyncGroup")
            return
        consumer = self._consumer
        self.pulse.heard()
        partitions = decode_assignment(response.assignment)
        self.state = "wait-assign-call"
        consumer.kernel.trace.record(
            "kafka.assign", consumer.process.label, self.generation, repr(partitions)
        )
        consumer.inbox.put(Rebalance(assign=True, partitions=tuple(partitions), lost=False))
        self.pulse.begin()

    def _join_failed(self, code: int, what: str) -> None:
        consumer = self._consumer
        consumer.coordinator.heard(code)
        self.state = "init"
        if code in {codes.UNKNOWN_MEMBER_ID, codes.ILLEGAL_GENERATION}:
            self.member_id = ""
        elif code == codes.FENCED_INSTANCE_ID:
            self.fenced()
            return
        elif code > 0 and code not in _SILENT:
            consumer.failed(code, f"{what} failed: {text_of(code)}")
        if code == codes.REBALANCE_IN_PROGRESS:
            self._join_soon(at_once=True)
        else:
            self._joined_at = consumer.kernel.now
            self._join_soon()


_SILENT = frozenset(
    {
        codes.COORDINATOR_LOAD_IN_PROGRESS,
        codes.COORDINATOR_NOT_AVAILABLE,
        codes.NOT_COORDINATOR,
        codes.REBALANCE_IN_PROGRESS,
        codes.REQUEST_TIMED_OUT,
    }
)
