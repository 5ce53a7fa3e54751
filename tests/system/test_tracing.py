"""Traces: one from the HTTP request to the row, across replays, and without any influence."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from scenarios import catalog
from scenarios.stages import simulated
from system import tracing
from system.origin import Origin
from system.records import EVENTS, OPERATIONS, ORDERS, OUTPUTS
from system.telemetry import Ids
from system.wal.frames import CommandFrame, EngineFrame
from system.wal.traced import context
from tests.system.gateway.asking import OPERATOR, Front, new_key, transfer
from tests.system.settlement.test_ledger import row
from tests.system.settlement.test_rebalance import Town, message
from tests.system.small_kafka import Broker, Record
from tests.system.ubscore import desk, market

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

HEADERS = Origin(TRACE).headers()


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Generator[InMemorySpanExporter]:
    exporter, ids = InMemorySpanExporter(), Ids()
    provider = TracerProvider(id_generator=ids, shutdown_on_exit=False)  # type: ignore[arg-type]
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    yield exporter
    provider.shutdown()


def own(span: ReadableSpan) -> tuple[int, int]:
    assert span.context is not None
    return span.context.trace_id, span.context.span_id


def parent(span: ReadableSpan) -> tuple[int, int]:
    assert span.parent is not None
    return span.parent.trace_id, span.parent.span_id


def ids(traceparent: str) -> tuple[int, int]:
    _, trace_id, span_id, _ = traceparent.split("-")
    return int(trace_id, 16), int(span_id, 16)


def carried(record: Record) -> str:
    return dict(record.headers() or ())["traceparent"].decode()  # type: ignore[union-attr]


def is_traced(record: Record) -> bool:
    return "traceparent" in dict(record.headers() or ())


def traced(broker: Broker, topic: str) -> set[str]:
    """The contexts that the records of a topic carry; each carries one."""
    logs = [broker.logs[topic, partition] for partition in range(4)]
    return {carried(record) for log in logs for record in log}


# -- one program at a time -----------------------------------------------------------------------


def test_the_gateway_begins_a_trace_that_a_retry_continues(spans: InMemorySpanExporter) -> None:
    front, key = Front(), new_key()

    front.post("/transfer_in", transfer(request_id=key))
    front.post("/transfer_in", transfer(request_id=key))

    first, second = (sent.headers for sent in front.records.sent)
    way = tracing.taking(None, 1001, key)
    assert first == second == [("traceparent", way.context.encode())]
    published = spans.get_finished_spans()
    assert {span.name for span in published} == {"publish Deposit"}
    assert {parent(span) for span in published} == {ids(way.parent)}
    assert {own(span) for span in published} == {ids(way.context)}


def test_a_callers_trace_is_continued(spans: InMemorySpanExporter) -> None:
    front = Front()

    for _ in range(2):
        front.ask(
            "POST",
            "/transfer_in",
            transfer(request_id=new_key()),
            authorization=f"Bearer {OPERATOR}",
            traceparent=TRACE,
        )

    one, other = spans.get_finished_spans()
    assert parent(one) == parent(other) == ids(TRACE)
    assert own(one)[0] == own(other)[0] == ids(TRACE)[0]
    assert own(one) != own(other)  # two requests within one span of the caller's


@pytest.mark.parametrize(
    "bad",
    ["", "x", TRACE[:-1], TRACE + "-1", TRACE.upper(), TRACE.replace("00-", "ff-", 1),
     f"00-{'0' * 32}-b7ad6b7169203331-01", f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01"],
)  # fmt: skip
def test_a_context_that_is_none_is_as_if_there_were_none(bad: str) -> None:
    assert tracing.taking(bad, 1001, "k") == tracing.taking(None, 1001, "k")
    assert tracing.incoming(Record("t", 0, 0, b"", b"", [("traceparent", bad.encode())])) == ""  # type: ignore[arg-type]


def test_settlement_continues_the_trace_of_each_record_also_of_a_copy(
    spans: InMemorySpanExporter,
) -> None:
    key = new_key()
    for _ in range(2):
        town = Town()
        town.assign()
        town.consumer.steps.append(message(0, row(1, 1001, 1, 1, 5, 5, key)))
        town.settlement.step()

    one, other = spans.get_finished_spans()

    assert one.name == "settle"
    assert own(one) == own(other)  # the same record, settled once more
    assert parent(one) == ids(
        tracing.taking(None, 1001, key).context
    )  # of before there were headers


# -- all of them ---------------------------------------------------------------------------------


def traded(directory: Path, headers: tracing.Headers | None) -> market.Exchange:
    """Two deposits and an order that trade with an order of a traced request."""
    exchange = market.Exchange(directory)
    exchange.broker.order(
        market.deposit(1001, market.USDT, 10**12, 1),
        market.deposit(1002, market.BTC, 10**12, 2),
        market.order(3, 1002, "sell", 10, 2),
    )
    exchange.settle()
    exchange.broker.order(market.order(4, 1001, "buy", 10, 1))
    operations = exchange.broker.logs
    last = max((log for (t, _), log in operations.items() if t == OPERATIONS), key=len)[-1]
    last._headers = headers
    exchange.settle()
    return exchange


def test_an_order_is_one_trace_from_its_record_to_the_fills(
    tmp_path: Path, spans: InMemorySpanExporter
) -> None:
    exchange = traded(tmp_path, HEADERS)

    decide, match, fill = spans.get_finished_spans()
    assert [span.name for span in (decide, match, fill)] == ["decide", "match", "fill"]
    assert parent(decide) == ids(TRACE)
    assert parent(match) == own(decide)
    assert parent(fill) == own(match)
    assert len({own(span) for span in (decide, match, fill)}) == 3
    broker = exchange.broker
    with_trace = [r for log in broker.logs.values() for r in log if is_traced(r)]
    assert {ids(carried(r)) for r in with_trace if r.topic() == ORDERS} == {own(decide)}
    assert {ids(carried(r)) for r in with_trace if r.topic() == OUTPUTS} == {own(match)}
    locked, *filled = [ids(carried(r)) for r in with_trace if r.topic() == EVENTS]
    assert locked == own(decide)
    assert len(filled) > 4  # debits, credits and fees of both
    assert set(filled) == {own(fill)}
    exchange.close()


def test_what_is_published_again_carries_the_same_and_is_recorded_in_the_same_span(
    tmp_path: Path, spans: InMemorySpanExporter
) -> None:
    broker = Broker(away=True)
    broker.order(market.deposit(1001, market.USDT, 10**12, 1))
    for log in broker.logs.values():
        for record in log:
            record._headers = HEADERS
    data = desk.made(tmp_path)
    core = desk.opened(data, broker)
    core.step()
    desk.kill(core)  # it is durable, and nobody has seen it
    broker.away = False

    again = desk.opened(data, broker)
    again.settle()

    first, second = spans.get_finished_spans()
    assert (first.name, second.name) == ("decide", "decide")
    assert own(first) == own(second)
    assert parent(second) == ids(TRACE)
    assert [dict(s.attributes or {})["wavetank.again"] for s in (first, second)] == [False, True]
    assert {ids(context) for context in traced(broker, EVENTS)} == {own(first)}
    desk.kill(again)


def test_frames_remember_the_context_and_only_if_there_was_one(tmp_path: Path) -> None:
    exchange = traded(tmp_path, HEADERS)

    bodies = [b for _, b in desk.log_of(exchange.paths[1]).records()]
    commands = [context(body) for body in bodies if isinstance(body, CommandFrame)]
    assert commands == ["", "", "", TRACE]
    fills = [context(body) for body in bodies if isinstance(body, EngineFrame)]
    assert [ids(one)[0] for one in fills] == [ids(TRACE)[0]]
    exchange.close()


def test_without_a_provider_nothing_is_recorded_and_the_context_travels(tmp_path: Path) -> None:
    exchange = traded(tmp_path, HEADERS)

    assert not tracing.enabled()
    seen = [r for log in exchange.broker.logs.values() for r in log if is_traced(r)]
    assert {r.topic() for r in seen} == {OPERATIONS, ORDERS, OUTPUTS, EVENTS}
    assert {ids(carried(r))[0] for r in seen} == {ids(TRACE)[0]}
    exchange.close()


# -- in a world ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("scenario", "seed"), [("torn_append", 4), ("trading", 4)])
def test_tracing_changes_no_run_and_every_span_has_its_parent(
    scenario: str, seed: int, request: Any
) -> None:
    def digest() -> str:
        return simulated.run(catalog.find(scenario), seed).result.digest

    without = digest()
    exporter: InMemorySpanExporter = request.getfixturevalue("spans")
    traced = digest()

    assert traced == without
    found = exporter.get_finished_spans()
    expected = {"publish Deposit", "decide", "settle"}
    if scenario == "trading":
        expected |= {"publish PlaceOrder", "publish Cancel", "match", "fill"}
    assert expected <= {span.name for span in found}
    known = {own(span) for span in found}
    roots = {span.name for span in found if parent(span) not in known}
    assert all(name.startswith("publish ") for name in roots)
    restarted = [s for s in found if dict(s.attributes or {}).get("wavetank.again")]
    assert restarted, "nothing was published again after a crash"
    assert {own(span) for span in restarted} & {parent(s) for s in found if s.name == "settle"}
