"""Traces: one from the HTTP request to the row, across replays, and without any influence."""

from collections.abc import Generator
from itertools import count
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator

from scenarios import catalog
from scenarios.stages import simulated
from system import tracing
from tests.system.gateway.asking import OPERATOR, Front, new_key, transfer
from tests.system.settlement.test_ledger import row
from tests.system.settlement.test_rebalance import Town, message

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Counting(IdGenerator):
    """Ids that draw on nothing of the program's."""

    def __init__(self) -> None:
        self._next = count(1)

    def generate_span_id(self) -> int:
        return next(self._next)

    def generate_trace_id(self) -> int:
        return next(self._next)


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Generator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(id_generator=Counting(), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    yield exporter
    provider.shutdown()


def settled(key: str) -> None:
    town = Town()
    town.assign()
    town.consumer.steps.append(message(0, row(1, 1001, 1, 1, 5, 5, key)))
    town.settlement.step()


def test_a_request_and_its_row_share_a_trace_that_a_replay_continues(
    spans: InMemorySpanExporter,
) -> None:
    front, key = Front(), new_key()

    front.post("/transfer_in", transfer(request_id=key))
    settled(key)
    settled(key)

    publish, *settles = spans.get_finished_spans()
    assert [span.name for span in (publish, *settles)] == ["publish Deposit", "settle", "settle"]
    root = tracing.parent(None, 1001, key)
    expected = trace.get_current_span(root).get_span_context()
    assert {s.parent.span_id for s in (publish, *settles) if s.parent} == {expected.span_id}
    assert {s.context.trace_id for s in (publish, *settles) if s.context} == {expected.trace_id}
    assert front.records.sent[0].headers == [("traceparent", tracing.injected(root).encode())]


def test_a_callers_trace_is_continued(spans: InMemorySpanExporter) -> None:
    front = Front()

    front.ask(
        "POST", "/transfer_in", transfer(), authorization=f"Bearer {OPERATOR}", traceparent=TRACE
    )

    (publish,) = spans.get_finished_spans()
    assert f"{publish.context.trace_id:032x}" == TRACE.split("-")[1]
    assert f"{publish.parent.span_id:016x}" == TRACE.split("-")[2]  # type: ignore[union-attr]


def test_without_a_provider_nothing_is_recorded_and_the_context_travels() -> None:
    front, key = Front(), new_key()

    front.post("/transfer_in", transfer(request_id=key))
    front.post("/transfer_in", transfer(request_id=key))

    first, second = (sent.headers for sent in front.records.sent)
    assert not tracing.enabled()
    assert first == second  # a retry is in the same trace


def test_tracing_changes_no_run(request: Any) -> None:
    def digest() -> str:
        return simulated.run(catalog.find("nine_deposits"), 4).result.digest

    without = digest()
    exporter: InMemorySpanExporter = request.getfixturevalue("spans")
    traced = digest()

    assert traced == without
    names = {span.name for span in exporter.get_finished_spans()}
    assert names == {"publish Deposit", "settle"}
