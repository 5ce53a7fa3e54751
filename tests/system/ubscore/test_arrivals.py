"""Arrivals: a record is taken with the broker's time, never with its producer's."""

from typing import cast

import pytest
from confluent_kafka import TIMESTAMP_CREATE_TIME, Message

from system.errors import Halt
from system.records import OPERATIONS, encode
from system.topics import key_of, partition_of
from system.ubscore import arrivals
from system.ubscore.arrivals import Arrival
from system.ubscore.terms import Terms
from tests.system.small_kafka import NOW_MS, PARTITIONS, Record
from tests.system.ubscore.commands import operation, request_id


class Stamped(Record):
    """A record of a topic that keeps its producer's time."""

    def timestamp(self) -> tuple[int, int]:
        return TIMESTAMP_CREATE_TIME, NOW_MS


def taken(kind: type[Record]) -> Arrival:
    deposit = operation("deposit", 1001, 1, 5, request_id(NOW_MS, 1))
    key = key_of(1001)
    record = kind(OPERATIONS, partition_of(key, PARTITIONS), 0, key, encode(deposit))
    message = cast("Message", record)
    return arrivals.read(message, arrivals.source_of(message), Terms(1, 1, 1000), NOW_MS)


def test_the_brokers_time_is_what_counts() -> None:
    assert taken(Record).appended_ms == NOW_MS


def test_a_topic_that_keeps_its_producers_time_is_a_halt() -> None:
    with pytest.raises(Halt, match=r"no_append_time.*offset 0 has no LogAppendTime"):
        taken(Stamped)
