"""What records say of where they come from: since when they are on their way, across restarts."""

import time
from pathlib import Path

import pytest
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Message

from system import origin
from system.origin import Origin
from system.records import EVENTS, encode
from system.topics import key_of
from system.tracing import Headers
from tests.system.settlement.test_ledger import row
from tests.system.settlement.test_rebalance import HOME, Town
from tests.system.small_kafka import NOW_MS, Broker, Record
from tests.system.ubscore import desk, market

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    ("said", "headers"),
    [
        (Origin(), None),
        (Origin(TRACE), [("traceparent", TRACE.encode())]),
        (Origin("", 17), [("accepted-at", b"17")]),
        (Origin(TRACE, 17), [("traceparent", TRACE.encode()), ("accepted-at", b"17")]),
    ],
)
def test_headers_say_what_is_known(said: Origin, headers: Headers | None) -> None:
    assert said.headers() == headers


@pytest.mark.parametrize("value", [b"", b"-1", b"x", b"1.5", "17", None])
def test_a_time_that_is_none_is_as_if_it_were_not_said(value: bytes | str | None) -> None:
    record: object = Record("t", 0, 0, b"", b"", [(origin.ACCEPTED_AT, value)])

    assert origin.accepted_ms(record) is None  # type: ignore[arg-type]


def test_events_say_when_their_command_was_accepted_also_when_published_again(
    tmp_path: Path,
) -> None:
    broker = Broker(away=True)
    broker.order(market.deposit(1001, market.USDT, 10**12, 1))
    data = desk.made(tmp_path)
    core = desk.opened(data, broker)
    core.step()
    desk.kill(core)
    broker.away = False

    again = desk.opened(data, broker)
    again.settle()

    ((record,),) = (log for (topic, _), log in broker.logs.items() if topic == EVENTS and log)
    assert record.headers() == [("accepted-at", str(NOW_MS).encode())]  # Kafka's stamp, not ours
    desk.kill(again)


def test_latency_counts_from_acceptance_and_without_it_from_the_decision() -> None:
    town = Town()
    town.assign()
    now_ms = time.time_ns() // 1_000_000
    for offset, accepted_ms in enumerate((now_ms - 50_000, 0)):
        event = row(offset + 1, 1001, 1, offset + 1, 5, 5 * (offset + 1))
        town.consumer.steps.append(
            Message(
                topic=EVENTS,
                partition=HOME,
                offset=offset,
                key=key_of(event.user_id),
                value=encode(event),
                headers=Origin("", accepted_ms).headers(),
                timestamp=(TIMESTAMP_LOG_APPEND_TIME, 1_000),
            )
        )
        town.settlement.step()

    sample = town.settlement.metrics.registry.get_sample_value
    name, labels = "settlement_end_to_end_seconds_bucket", {"topic": EVENTS}
    assert sample(name, {**labels, "le": "30.0"}) == 0
    assert sample(name, {**labels, "le": "100.0"}) == 1  # the other event was decided in 1970
    assert sample("settlement_end_to_end_seconds_count", labels) == 2
