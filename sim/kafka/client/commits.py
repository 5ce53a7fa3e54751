"""Committed offsets: stored here, committed to the coordinator, asked back from it.

Source: rdkafka_offset.c, rdkafka_cgrp.c (`rd_kafka_cgrp_offsets_commit`). **Faithful**: without
offsets, what is stored beyond what was committed is committed; partitions that are taken away
commit what is stored, whatever was committed; a commit waits for its coordinator up to
`session.timeout.ms`; the broker's errors come back for each partition.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.kafka.client import codes
from sim.kafka.client.tracked import Tracked
from sim.kafka.client.values import OFFSET_INVALID
from sim.kafka.entities import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
    OffsetFetchRequest,
    OffsetFetchRequestTopic,
)

if TYPE_CHECKING:
    from sim.kafka.client.consumer import Consumer

_RETRIABLE = frozenset(
    {
        codes.WAIT_COORD,
        codes.TRANSPORT,
        codes.TRANSPORT_UNSENT,
        codes.TIMED_OUT,
        codes.TIMED_OUT_QUEUE,
        codes.COORDINATOR_LOAD_IN_PROGRESS,
        codes.COORDINATOR_NOT_AVAILABLE,
        codes.NOT_COORDINATOR,
        codes.REQUEST_TIMED_OUT,
    }
)
_UNSTABLE = codes.UNSTABLE_OFFSET_COMMIT


class Offset(NamedTuple):
    """An offset to commit, or one that was."""

    topic: str
    partition: int
    offset: int
    epoch: int = -1
    metadata: str | None = None
    error: int = 0


def on_the_wire(metadata: str | None) -> str:
    """Return what is sent for it: confluent_kafka counts the zero that ends a string in C, too."""
    return "" if metadata is None else metadata + "\0"


class Committed(NamedTuple):
    """The outcome of a commit, for `on_commit`."""

    code: int
    offsets: tuple[Offset, ...]


Done = Callable[[int, tuple[Offset, ...]], None]


class Commits:
    """What one consumer commits."""

    def __init__(self, consumer: "Consumer") -> None:
        self._consumer = consumer
        self.pending = 0  # commits under way

    def commit(self, offsets: Sequence[Offset], done: Done) -> None:
        """Commit these offsets; with none at all there is `NO_OFFSET` to tell."""
        valid = tuple(offset for offset in offsets if offset.offset >= 0)
        if not valid:
            done(codes.NO_OFFSET, tuple(offsets))
            return
        self.pending += 1
        consumer = self._consumer
        deadline = consumer.kernel.now + consumer.settings.session_timeout
        self._send(valid, done, deadline)

    def commit_stored(self, done: Done, *, quietly: bool = False) -> None:
        """Commit what is stored and not committed yet, of all assigned partitions."""
        consumer = self._consumer
        if consumer.group.lost:
            if not quietly:
                done(codes.ASSIGNMENT_LOST, ())
            return
        offsets = []
        for tracked in consumer.assignment.values():
            new = tracked.stored if tracked.stored > tracked.committed else OFFSET_INVALID
            offsets.append(_stored(tracked, new))
        if quietly and all(offset.offset < 0 for offset in offsets):
            return
        self.commit(offsets, done)

    def auto_commit(self) -> None:
        """Commit what is stored, unless the group is about to change; do so again and again."""
        consumer = self._consumer
        if consumer.closed:
            return
        consumer.process.after(consumer.settings.auto_commit_interval, self.auto_commit)
        if consumer.group.subscription and consumer.group.state != "steady":
            return
        self.commit_stored(
            lambda code, offsets: consumer.inbox.put(Committed(code, offsets)), quietly=True
        )

    def commit_removed(self, removed: Sequence[Offset], done: Callable[[], None]) -> None:
        """Commit what was stored of partitions that are taken away."""
        valid = [offset for offset in removed if offset.offset >= 0]
        if not valid or not self._consumer.settings.auto_commit or self._consumer.group.lost:
            done()
            return

        def answered(code: int, offsets: tuple[Offset, ...]) -> None:
            self._consumer.inbox.put(Committed(code, offsets))
            done()

        self.commit(valid, answered)

    def fetch(
        self,
        wanted: Sequence[tuple[str, int]],
        done: Callable[[int, dict[tuple[str, int], Offset]], None],
    ) -> None:
        """Ask the coordinator for committed offsets, once; -1 stands for none."""
        consumer = self._consumer
        topics: dict[str, list[int]] = {}
        for topic, index in wanted:
            topics.setdefault(topic, []).append(index)
        request = OffsetFetchRequest(
            group_id=consumer.settings.group_id,
            topics=tuple(
                OffsetFetchRequestTopic(name=name, partition_indexes=tuple(parts))
                for name, parts in topics.items()
            ),
            require_stable=bool(consumer.settings.isolation),
        )

        def answered(code: int, response: Any) -> None:
            if response is None:
                done(code, {})
                return
            code = int(response.error_code)
            consumer.coordinator.heard(code)
            found = {
                (topic.name, part.partition_index): Offset(
                    topic.name,
                    part.partition_index,
                    part.committed_offset,
                    part.committed_leader_epoch,
                    part.metadata,
                    int(part.error_code),
                )
                for topic in response.topics
                for part in topic.partitions
            }
            if any(offset.error == _UNSTABLE for offset in found.values()):
                code = _UNSTABLE
            done(code, found)

        consumer.coordinator.when_ready(lambda: consumer.coordinator.request(request, answered))

    def _send(self, offsets: tuple[Offset, ...], done: Done, deadline: int) -> None:
        consumer = self._consumer
        now = consumer.kernel.now
        if not consumer.coordinator.ready:
            if now >= deadline:
                self._done(offsets, done, codes.WAIT_COORD)
                return
            sent = [False]

            def once(*, late: bool) -> None:
                if not sent[0]:
                    sent[0] = True
                    if late:
                        self._done(offsets, done, codes.WAIT_COORD)
                    else:
                        self._send(offsets, done, deadline)

            consumer.coordinator.when_ready(partial(once, late=False))
            consumer.process.after(deadline - now, partial(once, late=True))
            return
        group = consumer.group
        topics: dict[str, list[OffsetCommitRequestPartition]] = {}
        for offset in offsets:
            part = OffsetCommitRequestPartition(
                partition_index=offset.partition,
                committed_offset=offset.offset,
                committed_leader_epoch=offset.epoch,
                committed_metadata=on_the_wire(offset.metadata),
            )
            topics.setdefault(offset.topic, []).append(part)
        request = OffsetCommitRequest(
            group_id=consumer.settings.group_id,
            generation_id_or_member_epoch=group.generation,
            member_id=group.member_id,
            group_instance_id=consumer.settings.instance_id,
            topics=tuple(
                OffsetCommitRequestTopic(name=name, partitions=tuple(parts))
                for name, parts in topics.items()
            ),
        )
        consumer.coordinator.request(request, partial(self._answered, offsets, done, deadline))

    def _answered(
        self, offsets: tuple[Offset, ...], done: Done, deadline: int, code: int, response: Any
    ) -> None:
        consumer = self._consumer
        outcome = offsets
        if response is not None:
            errors = {
                (topic.name, part.partition_index): int(part.error_code)
                for topic in response.topics
                for part in topic.partitions
            }
            outcome = tuple(
                offset._replace(error=errors[offset.topic, offset.partition]) for offset in offsets
            )
            failed = [offset.error for offset in outcome if offset.error]
            code = failed[-1] if len(failed) == len(outcome) else codes.NONE
        consumer.coordinator.heard(code)
        if code in _RETRIABLE and consumer.kernel.now < deadline and not consumer.closed:
            wait = int(consumer.settings.retry_backoff * consumer.random.uniform(0.8, 1.2))
            consumer.process.after(wait, self._send, offsets, done, deadline)
            return
        self._done(outcome, done, codes.TRANSPORT if code == codes.TRANSPORT_UNSENT else code)

    def _done(self, offsets: tuple[Offset, ...], done: Done, code: int) -> None:
        self.pending -= 1
        consumer = self._consumer
        if not code:
            for offset in offsets:
                tracked = consumer.assignment.get((offset.topic, offset.partition))
                if tracked is not None and not offset.error:
                    tracked.committed = offset.offset
        elif code == codes.FENCED_INSTANCE_ID:
            consumer.group.fenced()
        done(code, offsets)
        consumer.serve_assignment()


def _stored(tracked: Tracked, offset: int) -> Offset:
    return Offset(
        tracked.topic, tracked.index, offset, tracked.stored_epoch, tracked.stored_metadata
    )


def stored_of(tracked: Tracked) -> Offset:
    """Return what is stored of a partition, to be committed as it is."""
    return _stored(tracked, tracked.stored)
