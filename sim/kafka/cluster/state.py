"""What one broker has: its logs and groups, its connections, and the effects of the call at hand.

The modules beside this one are the broker's abilities: functions that take this state and a
request and return the body of the answer, or None to answer later with `State.answer`.
"""

from collections import deque
from collections.abc import Callable, Hashable
from random import Random
from typing import Any

from sim.kafka.batch import Batch
from sim.kafka.cluster.group import Group
from sim.kafka.cluster.image import Image, Partition, Topic
from sim.kafka.cluster.log import Log
from sim.kafka.cluster.quotas import Quota
from sim.kafka.cluster.settings import Settings
from sim.kafka.entities import ErrorCode
from sim.kafka.protocol import Repeated, Request, Response
from sim.machine import Cancel, Effect, Record, Send, Timer

MILLISECOND = 1_000_000


class Connection:
    """A connection: one request at a time is worked on, the others wait (KIP-219 mutes so, too)."""

    __slots__ = ("current", "muted", "nothing", "peer", "throttle_ms", "waiting")

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.current: Request | None = None
        self.muted = False
        self.throttle_ms = 0
        self.waiting: deque[Request] = deque()
        # A Fetch that found nothing, where the logs began and ended then, and its answer.
        self.nothing: tuple[Any, tuple[tuple[int, int], ...], Repeated] | None = None


class ParkedFetch:
    """A Fetch that waits for data or for its time to be over."""

    __slots__ = ("missing", "request")

    def __init__(self, request: Request, missing: int) -> None:
        self.request = request
        self.missing = missing  # bytes that have to come before it is answered


Spoiler = Callable[[str, int, Log, Batch], None]  # topic, partition, its log, the new batch


def log_in_memory(topic: Topic, partition: int) -> Log:  # noqa: ARG001
    """Return an empty log of a partition."""
    return Log(topic.topic_id, topic.config)


class State:
    """A broker's durable and volatile state."""

    def __init__(self, broker_id: int, image: Image, settings: Settings, random: Random) -> None:
        self.broker_id = broker_id
        self.image = image
        self.settings = settings
        self.random = random
        # Durable: what lies in the broker's log directory.
        self.logs: dict[tuple[str, int], Log] = {}
        self.damaged: dict[tuple[str, int], str] = {}  # partitions whose log cannot be trusted: why
        self.groups: dict[str, Group] = {}
        self.new_log: Callable[[Topic, int], Log] = log_in_memory
        self.spoilers: list[Spoiler] = []  # what befalls a batch on its drive, once it is there
        self.short_of_replicas: list[Callable[[str], bool]] = []  # asked for each batch's topic
        # Settings of the operator; they live in the metadata image, so they survive, too.
        self.produce_quota = Quota()
        self.fetch_quota = Quota()
        self.forget()

    def lacks_replicas(self, topic: str) -> bool:
        """Say whether a batch for `topic` finds too few replicas in sync, whatever there are."""
        return any(lacks(topic) for lacks in self.short_of_replicas)

    def forget(self) -> None:
        """Lose what is only in memory."""
        self.connections: dict[int, Connection] = {}
        self.parked: dict[int, ParkedFetch] = {}
        self.watchers: dict[tuple[str, int], dict[int, None]] = {}  # partition -> connections
        self.producer_ids: list[int] = []
        self.away_since: dict[int, int] = {}  # broker -> when this one noticed that it is away
        self.loading = False  # whether the coordinator still reads its log
        self.started_ns = 0
        self.starts_moved = False  # by DeleteRecords, since they were noted
        self.effects: list[Effect] = []
        self.ready: list[int] = []

    def reload(self, now_ns: int) -> None:
        """Rebuild from the logs what a crash took."""
        self.started_ns = now_ns
        for log in self.logs.values():
            log.recover()
            log.producers.expire(now_ns // MILLISECOND)
        for name, group in list(self.groups.items()):
            if not group.reload():
                del self.groups[name]

    def answer(self, connection: int, body: Any, throttle_ms: int = 0) -> None:
        """Send the response to the request that `connection` is being served."""
        found = self.connections.get(connection)
        if found is None or found.current is None:
            return
        self.effects.append(Send(connection, Response(found.current.correlation_id, body)))
        self.done(connection, found, throttle_ms)

    def done(self, connection: int, found: Connection, throttle_ms: int = 0) -> None:
        """Finish the request at hand; the next may follow when a throttle is over."""
        found.current = None
        if throttle_ms:
            found.muted = True
            found.throttle_ms = throttle_ms
        if throttle_ms or found.waiting:
            self.ready.append(connection)

    def close(self, connection: int) -> None:
        """Forget a connection and what waits on it."""
        self.connections.pop(connection, None)

    def record(self, kind: str, *fields: str | int | bytes | None) -> None:
        """Report a state change."""
        self.effects.append(Record(kind, *fields))

    def timer(self, key: Hashable, at_ns: int) -> None:
        """Set a timer, or set it anew."""
        self.effects.append(Timer(key, at_ns))

    def cancel(self, key: Hashable) -> None:
        """Forget a timer."""
        self.effects.append(Cancel(key))

    def leads(
        self, topic: str, partition: int, epoch: int = -1
    ) -> tuple[ErrorCode, Partition | None, Log | None]:
        """Return a partition's log if this broker leads it in `epoch` (-1: any), or why not."""
        found = self.image.find(topic, partition)
        if found is None:
            return ErrorCode.unknown_topic_or_partition, None, None
        if found.leader != self.broker_id:
            return ErrorCode.not_leader_or_follower, found, None
        if epoch >= 0 and epoch != found.leader_epoch:
            if epoch < found.leader_epoch:
                return ErrorCode.fenced_leader_epoch, found, None
            return ErrorCode.unknown_leader_epoch, found, None
        if (topic, partition) in self.damaged:
            return ErrorCode.kafka_storage_error, found, None
        return ErrorCode.none, found, self.log(topic, partition, found)

    def log(self, topic: str, partition: int, found: Partition) -> Log:
        """Return the log of a partition led here; it is made when first wanted."""
        known = self.image.topics[topic]
        log = self.logs.get((topic, partition))
        same = known.topic_id
        if log is None or (log.topic_id is not same and log.topic_id != same):
            log = self.logs[topic, partition] = self.new_log(known, partition)
        log.epochs.begin(found.leader_epoch, log.end)
        log.config = known.config
        return log

    def appended(self, topic: str, partition: int, batch: Batch) -> None:
        """Report a batch that is now in a log."""
        self.effects.append(
            Record("append", topic, partition, batch.base_offset, batch.fingerprint())
        )
        for spoil in tuple(self.spoilers):
            spoil(topic, partition, self.logs[topic, partition], batch)
