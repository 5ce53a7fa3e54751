"""Traces from the HTTP request to the ledger row: W3C trace context, in headers of Kafka's records.

Each program continues the context that a record came with. The id of its span follows from the one
before and from what it did, so records are the same bytes whether somebody records spans or not,
and what is published again after a crash belongs to the same spans. A request that comes without
a context gets one that follows from its key: whoever knows user and request id knows the trace.

Only OpenTelemetry's API is used: without a tracer provider (`system.telemetry`) nothing is
recorded.
"""

import hashlib
import re
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

from confluent_kafka import Message
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags

from system.records import EngineOutput, Event

HEADER = "traceparent"
Headers = list[tuple[str, str | bytes | None]]
Attributes = Mapping[str, str | int | bool]

# Version 00 alone: of another one nobody knows yet how it goes on.
_TRACEPARENT = re.compile("00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
_SPAN = slice(36, 52)


class Way(NamedTuple):
    """The context a request came with, and that of the span of taking it."""

    parent: str
    context: str


def enabled() -> bool:
    """Say whether somebody records spans."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def taking(traceparent: str | None, user_id: int, request_id: str) -> Way:
    """Return the way of a request into the system, from where it came or from its key alone."""
    digest = hashlib.sha256(f"{user_id}\n{request_id}".encode()).digest()
    parent = traceparent or ""
    if not _TRACEPARENT.fullmatch(parent):
        parent = f"00-{digest[:16].hex()}-{digest[16:24].hex()}-01"
    return Way(parent, onward(parent, int.from_bytes(digest[24:32], "big")))


@cache
def hop(name: str) -> int:
    """Return what turns a span's id into that of the next one; `name` says what is done there."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def onward(traceparent: str, step: int) -> str:
    """Return the context behind a step, which is its own inverse; "" leads nowhere."""
    if not traceparent:
        return ""
    return f"{traceparent[:36]}{int(traceparent[_SPAN], 16) ^ step:016x}{traceparent[52:]}"


def incoming(message: Message) -> str:
    """Return the context that a record came with; "" if it has none that can be used."""
    headers: Any = message.headers()
    for name, value in headers or ():
        if name == HEADER and isinstance(value, bytes):
            text = value.decode("ascii", "replace")
            return text if _TRACEPARENT.fullmatch(text) else ""
    return ""


def clock() -> int:
    """Return when a span begins, in nanoseconds since the epoch; 0 if nobody records spans."""
    return time.time_ns() if enabled() else 0


def record(
    program: str,
    name: str,
    kind: SpanKind,
    way: Way,
    began_ns: int,
    attributes: Attributes,
    error: str | None = None,
) -> None:
    """Record a span that ends now; nothing if it began when nobody recorded, or has no context."""
    if not began_ns or not way.parent or not enabled():
        return
    tracer: Any = trace.get_tracer(f"system.{program}")
    choose = getattr(getattr(tracer, "id_generator", None), "choose", None)
    if choose is not None:
        choose(int(way.context[_SPAN], 16))
    span = tracer.start_span(name, _remote(way.parent), kind, attributes, start_time=began_ns)
    if error is not None:
        span.set_status(trace.Status(trace.StatusCode.ERROR, error))
    span.end()


def _remote(traceparent: str) -> Any:
    """Return the context of a span elsewhere."""
    _, trace_id, span_id, flags = traceparent.split("-")
    found = SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16))
    )
    return trace.set_span_in_context(NonRecordingSpan(found))


def place(message: Message) -> dict[str, str | int | bool]:
    """Return where a record lies, as attributes of a span."""
    return {
        "messaging.system": "kafka",
        "messaging.destination.name": message.topic() or "",
        "messaging.destination.partition.id": str(message.partition()),
        "messaging.kafka.offset": message.offset() or 0,
    }


@contextmanager
def settling(taken: Sequence[tuple[Message, Event | EngineOutput]]) -> Generator[None]:
    """Record a span for each record that the block settles, in the trace of its request."""
    began_ns = clock()
    error: str | None = "not settled"
    try:
        yield
        error = None
    finally:
        for message, one in taken if began_ns else ():
            context = incoming(message) or taking(None, one.user_id, one.request_id).context
            where = place(message)
            step = hop("settle " + " ".join(map(str, where.values())))
            way = Way(context, onward(context, step))
            about = {**where, "wavetank.request_id": one.request_id}
            record("settlement", "settle", SpanKind.CONSUMER, way, began_ns, about, error)
