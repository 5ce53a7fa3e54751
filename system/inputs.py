"""The input: partitions assigned by hand, read from positions that only the log knows.

Committed group offsets are for dashboards. A position outside the partition, a record before it
that is not the one framed, or a hole is a halt: something was lost, and no reset may hide it.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol
from zlib import crc32

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from system import marks
from system.config import Kafka
from system.errors import Halt, Unreachable
from system.log import Log
from system.marks import Marks, Place
from system.messages import END_OF_PARTITION, OUT_OF_RANGE, TRUNCATED, refuse_damaged
from system.topics import gap

ASK_AGAIN_S = 0.1


class Position(Protocol):
    """Where a partition goes on: the next offset, and the identity of the record before it."""

    @property
    def next_offset(self) -> int:
        """The offset of the first record not yet read."""

    @property
    def leader_epoch(self) -> int:
        """The epoch of the leader that appended the record before."""

    @property
    def crc(self) -> int:
        """The checksum of the record before."""


class Patience(NamedTuple):
    """How long to wait for what."""

    lag_ms: int  # a new leader's shorter log is asked again
    commit_every_ms: int  # group offsets, for dashboards only


def checksum(message: Message) -> int:
    """Return what identifies a record's content."""
    return crc32(message.value() or b"", crc32(message.key() or b""))


def leader_epoch(message: Message) -> int:
    """Return the epoch of the leader that appended a record; -1 if the broker does not say."""
    epoch = message.leader_epoch()
    return -1 if epoch is None else epoch


class Inputs:
    """What one process reads; its partitions, of whatever topics, share a consumer."""

    def __init__(
        self,
        consumer: Consumer,
        kafka: Kafka,
        patience: Patience,
        next_offset: Callable[[str, int], int],
        log: Log,
    ) -> None:
        self.consumer = consumer
        self.kafka = kafka
        self.patience = patience
        self.next_offset = next_offset
        self.log = log
        self._committed_at_s = time.monotonic()
        self._committed: dict[Place, int] = {}
        self._ends: dict[Place, int] = {}  # as reported, to be compared once all before is judged

    # -- before the first record ---------------------------------------------------------------

    def verify(self, positions: Mapping[Place, Position], found: Marks) -> None:
        """Check that every position continues this very log, or halt."""
        before: dict[str, dict[int, Position]] = {}
        for (topic, partition), position in positions.items():
            low, _ = _within((topic, partition), position.next_offset, found)
            if position.next_offset > low:
                before.setdefault(topic, {})[partition] = position
        for topic, of_topic in before.items():
            self.compare(topic, of_topic)

    def reaching(self, wanted: Mapping[Place, int]) -> Marks:
        """Return log starts and ends; an end below the offset is asked again, new leaders lag."""
        return marks.reaching(
            self.consumer,
            self.kafka,
            wanted,
            patience_s=self.patience.lag_ms / 1000,
            pause_s=ASK_AGAIN_S,
        )

    def watermarks(self, places: Iterable[Place]) -> Marks:
        """Return log starts and ends."""
        return marks.watermarks(self.consumer, self.kafka, places)

    def compare(self, topic: str, positions: Mapping[int, Position]) -> None:
        """Read the record before each position; it must be the one that was framed."""
        starts = {p: (position.next_offset - 1) for p, position in positions.items()}
        ends = {p: offset + 1 for p, offset in starts.items()}
        for message in self.scan(topic, starts, ends, missing="input_gap"):
            partition = message.partition() or 0
            position = positions[partition]
            framed = (position.crc, position.leader_epoch)
            if framed != (checksum(message), leader_epoch(message)):
                raise Halt(
                    "input_replaced",
                    f"{topic}[{partition}] offset {position.next_offset - 1}"
                    " is not the record that was framed; the topic's log was replaced",
                )

    def scan(
        self,
        topic: str,
        starts: Mapping[int, int],
        ends: Mapping[int, int],
        missing: str = "output_gap",
    ) -> Iterator[Message]:
        """Read partitions from `starts` up to `ends`; for looking only, nothing is consumed.

        Every offset in between must have its record, the last one too; else a halt over what is
        `missing`. A log that ends earlier has a leader that lags: it is waited for.
        """
        left = {p: start for p, start in starts.items() if start < ends[p]}
        if not left:
            return
        patience_s = self.kafka.connect_timeout_ms / 1000
        deadline_s = time.monotonic() + patience_s
        self.consumer.assign([TopicPartition(topic, p, at) for p, at in left.items()])
        while left:
            message = self.consumer.poll(ASK_AGAIN_S)
            found = None if message is None else self.seen(message)
            if message is None or found is None:
                if time.monotonic() >= deadline_s:
                    raise Unreachable(f"{topic}: partitions {sorted(left)} cannot be read in time")
                continue
            partition = message.partition() or 0
            expected = left.get(partition)
            if expected is not None and found > expected:
                raise Halt(missing, gap(topic, partition, expected, found))
            if expected is None or message.error() is not None:
                continue
            deadline_s = time.monotonic() + patience_s
            yield message
            left[partition] = expected + 1
            if expected + 1 == ends[partition]:
                del left[partition]
        self.consumer.unassign()

    def seen(self, message: Message) -> int | None:
        """Return the offset of a record or of a log's end; None while there is neither.

        While only looking, a lost position is no halt: the next start looks again.
        """
        error = message.error()
        if error is None or error.code() == END_OF_PARTITION:
            return message.offset() or 0
        refuse_damaged(message, error)
        if error.fatal() or error.code() == OUT_OF_RANGE:
            raise Unreachable(f"{message.topic()}[{message.partition()}]: {error.str()}")
        return None

    # -- reading -------------------------------------------------------------------------------

    def start(self, positions: Mapping[Place, Position]) -> None:
        """Read on from the given positions."""
        self.consumer.assign(
            [TopicPartition(*place, position.next_offset) for place, position in positions.items()]
        )

    def take(self, count: int, wait_s: float) -> list[Message]:
        """Wait for a record, then take all that are there, `count` at most.

        All that was taken before must be judged by now.
        """
        self.refuse_gaps()
        first = self.consumer.poll(wait_s)
        if first is None:
            return []
        more = self.consumer.consume(count - 1, 0) if count > 1 else []
        return [message for message in (first, *more) if self.usable(message)]

    def fresh(self, topic: str, partition: int, offset: int) -> bool:
        """Say whether a record is the next one; an earlier one is known, a later one a hole."""
        expected = self.next_offset(topic, partition)
        if offset > expected:
            raise Halt("input_gap", gap(topic, partition, expected, offset))
        return offset == expected

    def refuse_gaps(self) -> None:
        """Halt if a log ends beyond the last record of it that came."""
        for (topic, partition), end in self._ends.items():
            expected = self.next_offset(topic, partition)
            if end > expected:
                raise Halt("input_gap", gap(topic, partition, expected, end))
        self._ends.clear()

    def usable(self, message: Message) -> bool:
        """Tell records from events; a lost position is a halt, a broker away is not."""
        error = message.error()
        if error is None:
            return True
        refuse_damaged(message, error)
        code = error.code()
        place = f"{message.topic()}[{message.partition()}]: {error.str()}"
        if code == TRUNCATED or error.fatal():
            raise Halt("position_lost", place)
        if code == OUT_OF_RANGE:
            self.out_of_range(message)
        elif code == END_OF_PARTITION:
            self._ends[message.topic() or "", message.partition() or 0] = message.offset() or 0
        else:
            self.log.warning("consumer", detail=place)
        return False

    def out_of_range(self, message: Message) -> None:
        """Go on if the position exists after all (a new leader lags); halt if it is lost."""
        topic, partition = message.topic() or "", message.partition() or 0
        offset = self.next_offset(topic, partition)
        place = (topic, partition)
        _within(place, offset, self.reaching({place: offset}))
        self.log.warning("position_asked_again", topic=topic, partition=partition, offset=offset)
        self.consumer.seek(TopicPartition(topic, partition, offset))

    # -- for dashboards ------------------------------------------------------------------------

    def show(self, next_offsets: Callable[[], Mapping[Place, int]]) -> None:
        """Commit group offsets now and then, unawaited; nothing here ever reads them."""
        every_s = self.patience.commit_every_ms / 1000
        now_s = time.monotonic()
        if now_s - self._committed_at_s < every_s:
            return
        offsets = next_offsets()
        if offsets == self._committed:
            return
        self._committed_at_s = now_s
        self._committed = dict(offsets)
        places = [TopicPartition(*place, offset) for place, offset in offsets.items() if offset]
        try:
            if places:
                self.consumer.commit(offsets=places, asynchronous=True)
        except KafkaException as error:
            self.log.warning("dashboard_commit", detail=str(error))


def _within(place: Place, offset: int, found: Marks) -> tuple[int, int]:
    """Return log start and end if `offset` lies within the log; halt if it does not."""
    low, high = found[place]
    where = f"{place[0]}[{place[1]}]: position {offset}, log {low} .. {high}"
    if offset < low:
        raise Halt("position_lost", f"{where}: records not yet read are gone")
    if offset > high:
        raise Halt("position_ahead", f"{where}: records already read are gone")
    return low, high
