"""Work whose partitions move on in the middle is dropped, never committed by the wrong owner."""

from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    OFFSET_INVALID,
    TIMESTAMP_LOG_APPEND_TIME,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from system.config import Kafka
from system.database import Scylla
from system.errors import Halt
from system.numbering import Numbering
from system.records import EVENTS, OUTPUTS, Event, encode
from system.settlement import Settlement
from system.settlement.config import Config, Work
from system.settlement.positions import Partition
from system.topics import key_of, partition_of
from tests.system.settlement.test_ledger import row
from tests.system.tables import Tables

PARTITIONS = 4
HOME = partition_of(b"1001", PARTITIONS)

Step = Message | Callable[[], None] | None


class Scripted:
    """A consumer that does what the test says, one step per poll."""

    def __init__(self) -> None:
        self.steps: deque[Step] = deque()
        self.commits: list[tuple[int, int]] = []
        self.refuse: KafkaError | None = None
        self.stored: tuple[Any, ...] = (OFFSET_INVALID,)
        self.range = (0, 100)

    def poll(self, timeout: float) -> Message | None:
        step = self.steps.popleft() if self.steps else None
        if callable(step):
            step()
            return None
        return step

    def commit(self, *, offsets: list[TopicPartition], asynchronous: bool) -> list[TopicPartition]:
        assert not asynchronous
        if self.refuse is not None:
            raise KafkaException(self.refuse)
        self.commits += [(one.partition, one.offset) for one in offsets]
        return offsets

    def committed(self, wanted: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        return [TopicPartition(one.topic, one.partition, *self.stored) for one in wanted]

    def get_watermark_offsets(
        self, _: TopicPartition, timeout: float = -1, cached: bool = False
    ) -> tuple[int, int]:
        return self.range

    def offsets_for_times(
        self, wanted: list[TopicPartition], timeout: float
    ) -> list[TopicPartition]:
        ends = {OFFSET_BEGINNING: self.range[0], OFFSET_END: self.range[1]}
        return [TopicPartition(one.topic, one.partition, ends[one.offset]) for one in wanted]

    def assign(self, _: list[TopicPartition]) -> None:
        pass


def message(offset: int, event: Event) -> Message:
    return Message(
        topic=EVENTS,
        partition=HOME,
        offset=offset,
        key=key_of(event.user_id),
        value=encode(event),
        timestamp=(TIMESTAMP_LOG_APPEND_TIME, 1_000),
    )


class Town:
    """A Settlement with everything around it under control."""

    def __init__(self, gather_ms: int = 0) -> None:
        self.tables, self.consumer = Tables(), Scripted()
        self.settlement = Settlement(
            Config(
                kafka=Kafka(bootstrap="nowhere:1"),
                scylla=Scylla(contact_points=("nowhere",)),
                settlement=Work(range_ms_max=1, pause_ms=1, pause_ms_max=1, gather_ms=gather_ms),
            )
        )
        self.settlement.consumer = self.consumer
        self.settlement.open(self.tables)
        self.settlement.partition_counts = {EVENTS: PARTITIONS, OUTPUTS: PARTITIONS}

    def assign(self) -> None:
        consumer: Any = self.consumer
        self.settlement.assigned(consumer, [TopicPartition(EVENTS, HOME)])

    def revoke(self) -> None:
        consumer: Any = self.consumer
        self.settlement.revoked(consumer, [TopicPartition(EVENTS, HOME)])


def test_partitions_revoked_while_the_database_is_away_are_dropped_uncommitted() -> None:
    town = Town()
    town.assign()
    town.consumer.steps += [message(0, row(1, 1001, 1, 1, 5, 5)), None, town.revoke]
    town.tables.fails = lambda _: False  # nothing is answered

    town.settlement.step()

    assert town.consumer.commits == []
    assert town.settlement.partitions == {}


def test_what_arrives_while_the_database_is_away_is_settled_afterwards() -> None:
    town = Town()
    town.assign()
    first, second = row(1, 1001, 1, 1, 5, 5), row(2, 1001, 1, 2, 5, 10)
    town.consumer.steps += [message(0, first), None, message(1, second)]
    outage = iter((True,))
    town.tables.fails = lambda _: False if next(outage, False) else None

    town.settlement.step()
    town.settlement.step()

    assert sorted(town.tables.ledger[1001, 1]) == [1, 2]
    assert town.consumer.commits == [(HOME, 1), (HOME, 2)]


def test_a_batch_that_gathers_takes_what_comes_a_little_later() -> None:
    town = Town(gather_ms=1)
    town.assign()
    first, second = row(1, 1001, 1, 1, 5, 5), row(2, 1001, 1, 2, 5, 10)
    town.consumer.steps += [message(0, first), None, message(1, second)]

    town.settlement.step()

    assert sorted(town.tables.ledger[1001, 1]) == [1, 2]
    assert town.consumer.commits == [(HOME, 2)]


def test_a_rebalance_while_a_batch_gathers_empties_it() -> None:
    town = Town(gather_ms=1)
    town.assign()
    town.consumer.steps += [message(0, row(1, 1001, 1, 1, 5, 5)), None, town.revoke]

    town.settlement.step()

    assert town.consumer.commits == []
    assert town.tables.ledger == {}


def test_a_batch_that_is_read_but_not_settled_is_not_committed_at_a_revoke() -> None:
    town = Town()
    town.assign()
    town.consumer.steps += [message(0, row(1, 1001, 1, 1, 5, 5)), town.revoke]

    town.settlement.step()

    assert town.consumer.commits == []
    assert town.tables.ledger == {}


def test_a_commit_that_failed_is_made_again_even_if_nothing_more_arrives() -> None:
    town = Town()
    town.assign()
    town.consumer.steps.append(message(0, row(1, 1001, 1, 1, 5, 5)))
    town.consumer.refuse = KafkaError(KafkaError._TIMED_OUT)
    town.settlement.step()
    town.consumer.refuse = None

    town.settlement.step()

    assert town.consumer.commits == [(HOME, 1)]


@pytest.mark.parametrize(
    ("stored", "bounds", "reason"),
    [
        ((OFFSET_INVALID,), (5, 9), "no_commit"),
        ((7,), (0, 9), "metadata"),
        ((7, '{"v":1,"shards":{}}'), (0, 6), "out_of_range"),
        ((7, '{"v":1,"shards":{}}'), (8, 9), "out_of_range"),
    ],
)
def test_a_position_that_means_nothing_halts(
    stored: tuple[Any, ...], bounds: tuple[int, int], reason: str
) -> None:
    town = Town()
    town.consumer.stored, town.consumer.range = stored, bounds

    with pytest.raises(Halt) as stop:
        town.assign()

    assert stop.value.reason == reason


def test_a_record_that_is_gone_from_the_log_halts() -> None:
    partition = Partition(("balance.events", 2), 7, Numbering("balance.events[2]", {}, 1000))
    partition.reads(7)
    partition.reads(8)

    with pytest.raises(Halt, match=r"balance.events\[2\], offset 9: records are missing") as halt:
        partition.reads(10)

    assert halt.value.reason == "input_gap"


def undecodable(offset: int) -> Message:
    when = (TIMESTAMP_LOG_APPEND_TIME, 1_000)
    return Message(topic=EVENTS, partition=HOME, offset=offset, value=b"?", timestamp=when)


def test_what_comes_before_a_record_to_halt_on_is_settled_and_committed() -> None:
    town = Town()
    town.assign()
    town.consumer.steps += [message(0, row(1, 1001, 1, 1, 5, 5)), undecodable(1)]
    town.consumer.steps += [message(2, row(2, 1001, 1, 2, 5, 10))]

    with pytest.raises(Halt, match=r"offset 1 cannot be decoded"):
        town.settlement.step()

    assert sorted(town.tables.ledger[1001, 1]) == [1]
    assert town.consumer.commits == [(HOME, 1)]


def test_a_record_to_halt_on_that_is_somebody_elses_meanwhile_halts_nobody_here() -> None:
    town = Town()
    town.assign()
    town.consumer.steps += [message(0, row(1, 1001, 1, 1, 5, 5)), undecodable(1), None, town.revoke]
    town.tables.fails = lambda _: False  # nothing is answered

    town.settlement.step()

    assert town.consumer.commits == []
    assert town.settlement.partitions == {}


def test_a_position_outside_the_log_halts() -> None:
    town = Town()
    town.assign()
    town.consumer.steps.append(
        Message(topic=EVENTS, partition=HOME, error=KafkaError(KafkaError._AUTO_OFFSET_RESET))
    )

    with pytest.raises(Halt, match="outside the log"):
        town.settlement.step()
