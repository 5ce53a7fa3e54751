"""How far everything has come is seen from the topics, whatever order their records come in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.evidence import TopicRecord
from scenarios.stages.progress import Progress
from system.records import EVENTS, OPERATIONS, ORDERS, OUTPUTS
from tests.reports.trading import day

DAY = tuple(day().records)


def after(records: tuple[TopicRecord, ...] | list[TopicRecord]) -> Progress:
    progress = Progress()
    for record in records:
        progress.take(record.topic, record.value or b"")
    return progress


def test_nothing_asked_for_is_complete() -> None:
    assert Progress().complete


@given(st.randoms(use_true_random=False))
def test_a_day_is_complete_in_any_order_and_with_any_copies(random) -> None:  # type: ignore[no-untyped-def]
    records = [*DAY, *random.sample(DAY, 5)]
    random.shuffle(records)

    assert after(records).complete


def _without(topic: str, text: bytes) -> list[TopicRecord]:
    """Leave out the last record of a topic in which `text` stands."""
    place = max(i for i, r in enumerate(DAY) if r.topic == topic and text in (r.value or b""))
    return [*DAY[:place], *DAY[place + 1 :]]


@pytest.mark.parametrize(
    ("topic", "text"),
    [
        (EVENTS, b'"withdraw"'),
        (EVENTS, b'"unlock"'),
        (EVENTS, b'"fee"'),
        (EVENTS, b'"cancel_ended"'),
        (EVENTS, b'"rejected"'),
        (ORDERS, b'"order"'),
        (ORDERS, b'"cancel"'),
        (OUTPUTS, b""),
    ],
)
def test_what_is_missing_is_waited_for(topic: str, text: bytes) -> None:
    assert not after(_without(topic, text)).complete


def test_what_nobody_has_answered_is_waited_for() -> None:
    assert not after([record for record in DAY if record.topic == OPERATIONS]).complete
    assert not after([record for record in DAY if record.topic == ORDERS]).complete


def test_what_cannot_be_read_has_not_come_anywhere() -> None:
    progress = after(DAY)

    progress.take(OUTPUTS, b"{")

    assert not progress.complete
