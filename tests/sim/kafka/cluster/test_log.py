"""A log of which records are lost or altered."""

from random import Random

from sim.kafka.batch import Batch
from sim.kafka.cluster.cluster import Cluster
from sim.kafka.cluster.image import Node
from sim.kafka.cluster.log import Log


def log(*counts: int, **config: str | None) -> Log:
    """Return a log with batches of so many records each, numbered through from 0."""
    cluster = Cluster([Node(1, "kafka-1", 9092)], Random(1))
    cluster.create_topic("t", 1, config)
    made = cluster.partition_log("t", 0)
    for count in counts:
        numbers = range(made.end, made.end + count)
        batch = Batch(tuple((b"k", b"%d" % n, (), 1000) for n in numbers))
        made.append(batch.placed(made.end, 0))
    return made


def values(log: Log) -> list[tuple[int, bytes | None]]:
    return [(record.offset, record.value) for record in log.records()]


def read(log: Log, offset: int) -> list[int]:
    return [batch.base_offset for batch in log.read(offset, 1 << 20, at_least_one=True)]


def test_an_altered_record_stands_where_it_stood() -> None:
    made = log(2, 3)

    made.alter(3, b"other")

    assert values(made) == [(0, b"0"), (1, b"1"), (2, b"2"), (3, b"other"), (4, b"4")]
    assert made.size == sum(batch.size for batch in made.batches())


def test_the_offset_of_a_lost_record_stays_empty_and_reads_go_on_behind_it() -> None:
    made = log(1, 3, 1)

    made.lose(2)
    made.lose(4)

    assert values(made) == [(0, b"0"), (1, b"1"), (3, b"3")]
    assert made.end == 5
    assert read(made, 2) == [3, 4]
    assert [(batch.base_offset, batch.records) for batch in made.read(4, 1, at_least_one=True)] == [
        (4, ())
    ]
    assert made.size == sum(batch.size for batch in made.batches())


def test_a_batch_at_the_end_of_a_segment_keeps_the_offset_of_the_record_it_lost() -> None:
    made = log(1, 1, 1, **{"segment.bytes": "80"})

    made.lose(1)

    assert read(made, 1) == [1]
    assert read(made, 2) == [2]
    assert values(made) == [(0, b"0"), (2, b"2")]


def test_those_behind_a_record_that_the_end_of_a_log_lost_take_its_offset() -> None:
    made = log(1, 3)

    made.close_up(2)

    assert values(made) == [(0, b"0"), (1, b"1"), (2, b"3")]
    assert made.end == 3


def test_records_are_yielded_from_an_offset_on_in_the_middle_of_a_batch_and_past_the_end() -> None:
    made = log(2, 3)
    made.delete_until(1)

    seen = {first: [record.offset for record in made.records(first)] for first in (0, 1, 3, 5)}

    assert seen == {0: [1, 2, 3, 4], 1: [1, 2, 3, 4], 3: [3, 4], 5: []}


def test_a_kill_brings_back_deleted_records_as_far_as_their_segment_is_still_there() -> None:
    made = log(1, 1, 1, 1, 1, **{"segment.bytes": "160"})  # two batches each
    made.start_at(3)

    made.retain(1000)
    made.recover()

    assert made.start == 2
    assert values(made) == [(2, b"2"), (3, b"3"), (4, b"4")]
