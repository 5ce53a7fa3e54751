"""Traces from the HTTP request to the ledger row: W3C trace context, in headers of Kafka's records.

Only OpenTelemetry's API is used: without a tracer provider (extra `otel`) nothing is recorded.
A request that comes without a context gets one that follows from its key, so whoever knows user
and request id knows the trace, and a replay continues it, too. Nothing here is random, and nothing
that a program does depends on it.
"""

import hashlib
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Message
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from system.records import EngineOutput, Event

HEADER = "traceparent"
_PROPAGATOR = TraceContextTextMapPropagator()
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


def enabled() -> bool:
    """Say whether somebody records spans."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def parent(traceparent: str | None, user_id: int, request_id: str) -> Context:
    """Return the context a request came with; one of its own if it came with none."""
    found = _PROPAGATOR.extract({HEADER: traceparent} if traceparent else {}, Context())
    if trace.get_current_span(found).get_span_context().is_valid:
        return found
    digest = hashlib.sha256(f"{user_id}\n{request_id}".encode()).digest()
    trace_id, span_id = int.from_bytes(digest[:16], "big"), int.from_bytes(digest[16:24], "big")
    own = SpanContext(trace_id, span_id, is_remote=True, trace_flags=_SAMPLED)
    return trace.set_span_in_context(NonRecordingSpan(own), Context())


def injected(context: Context) -> str:
    """Return a context as the value of a header.

    Records carry the request's context, not that of a span of ours: they are the same bytes
    whether somebody records spans or not.
    """
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier, context)
    return carrier[HEADER]


def publishing(route: str, context: Context) -> Span:
    """Begin the span of a command's way into Kafka; the caller ends it."""
    tracer = trace.get_tracer("system.gateway")
    return tracer.start_span(f"publish {route}", context, SpanKind.PRODUCER)


@contextmanager
def settling(taken: Sequence[tuple[Message, Event | EngineOutput]]) -> Generator[None]:
    """Record a span for each record that the block settles, in the trace of its request."""
    spans = [_settling(*one) for one in taken] if enabled() else []
    try:
        yield
    finally:
        for span in spans:
            span.end()


def _settling(message: Message, record: Event | EngineOutput) -> Span:
    context = parent(_header(message), record.user_id, record.request_id)
    attributes: dict[str, str | int] = {
        "messaging.system": "kafka",
        "messaging.destination.name": message.topic() or "",
        "messaging.destination.partition.id": str(message.partition()),
        "messaging.kafka.offset": message.offset() or 0,
    }
    tracer = trace.get_tracer("system.settlement")
    return tracer.start_span("settle", context, SpanKind.CONSUMER, attributes)


def _header(message: Message) -> str | None:
    headers: Any = message.headers() or ()
    for name, value in headers:
        if name == HEADER and isinstance(value, bytes):
            return value.decode("ascii", "replace")
    return None
