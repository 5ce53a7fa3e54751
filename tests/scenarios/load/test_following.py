"""The follower on records as brokers hand them out; nobody is connected to."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Message

from scenarios.backends.base import Backend
from scenarios.load.following import Follower
from scenarios.load.samples import OK, Samples
from system.records import EVENTS, OUTPUTS

EPOCH_MS = 1_790_000_000_000
MILLISECOND = 10**6


@dataclass
class Nowhere:
    bootstrap: str = "127.0.0.1:1"
    kafka_options: dict[str, Any] = field(default_factory=dict)


@pytest.fixture
def follower() -> Iterator[Follower]:
    samples, nowhere = Samples(), cast(Backend, Nowhere())
    samples.begin("first", 0, 0)
    samples.begin("second", 0, 0)
    following = Follower(
        nowhere, "settlement", (EVENTS, OUTPUTS), 2, samples, lambda: 0, EPOCH_MS * MILLISECOND
    )
    yield following
    following.close()


def event(request_id: str, n: int, **more: object) -> Message:
    return record(EVENTS, n, request_id=request_id, shard=1, n=n, **more)


def record(topic: str, offset: int, **fields: object) -> Message:
    return Message(
        topic=topic,
        partition=0,
        offset=offset,
        value=json.dumps(fields).encode(),
        timestamp=(TIMESTAMP_LOG_APPEND_TIME, EPOCH_MS + 40),
    )


def test_a_leg_that_is_seen_first_decides_nothing(follower: Follower) -> None:
    follower.take(event("first", 1, event_type="trade_debit", seq=3))
    assert not follower.samples.decided[0]

    follower.take(event("first", 2, event_type="lock", seq=1))

    assert follower.samples.decided[0] == 40 * MILLISECOND
    assert follower.samples.rows[0] == 1 + 3


def test_a_request_settles_when_the_commit_is_beyond_its_decision(follower: Follower) -> None:
    follower.take(event("first", 1, event_type="deposit", seq=1))
    follower.take(event("second", 2))

    follower.settle((EVENTS, 0), 2, 7)

    assert list(follower.samples.settled) == [7, 0]
    assert follower.samples.settled_count == 1


def test_copies_and_what_follows_a_gap_are_passed_over_until_they_come_in_order(
    follower: Follower,
) -> None:
    for n in (1, 1, 3):
        follower.take(event("first" if n == 1 else "second", n, event_type="deposit", seq=2))
    assert follower.samples.rows[0] == 2
    assert not follower.samples.decided[1]

    follower.take(event("nobody", 2))
    follower.take(event("second", 3, event_type="deposit", seq=2))

    assert follower.samples.decided[1]


def test_rows_of_an_output_count_with_the_order_that_caused_them(follower: Follower) -> None:
    follower.take(
        record(
            OUTPUTS, 9, request_id="first", symbol_id=1, output_seq=1, trades=[{}], orders=[{}, {}]
        )
    )

    assert follower.samples.rows[0] == 1 + 3 + 2
    assert not follower.caught_up


def test_an_acknowledged_request_that_has_not_settled_is_waited_for(follower: Follower) -> None:
    follower.samples.answer[0] = OK

    assert not follower.caught_up
