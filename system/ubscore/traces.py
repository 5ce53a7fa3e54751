"""Traces through UBSCore: what its records carry, and the spans of what it decided.

Both follow from frames alone, so a restart publishes the same records in the same spans.
"""

from collections.abc import Iterable

from opentelemetry.trace import SpanKind

from system import tracing
from system.origin import Origin
from system.tracing import Way
from system.wal import traced
from system.wal.frames import AnyFrame, CommandFrame, TracedEngineFrame


def origin(frame: AnyFrame, shard: int) -> Origin:
    """Return what the records of a frame say of where they come from."""
    context = traced.context(frame)
    onward = tracing.onward(context, _step(frame, shard)) if context else ""
    return Origin(onward, frame.time_ms if isinstance(frame, CommandFrame) else 0)


def record(
    frames: Iterable[tuple[int, AnyFrame]], shard: int, began_ns: int, *, again: bool = False
) -> None:
    """Record a span for each frame that was made durable and published, or published again."""
    if not began_ns:
        return
    for lsn, frame in frames:
        name = "decide" if isinstance(frame, CommandFrame) else "fill"
        attributes: dict[str, str | int | bool] = {
            "messaging.system": "kafka",
            "messaging.destination.name": frame.input.topic,
            "messaging.destination.partition.id": str(frame.input.partition),
            "messaging.kafka.offset": frame.input.offset,
            "wavetank.shard": shard,
            "wavetank.lsn": lsn,
            "wavetank.again": again,
        }
        if isinstance(frame, CommandFrame):
            attributes["wavetank.request_id"] = frame.request_id
            attributes["wavetank.decision"] = frame.reason or frame.decision
        way = _way(frame, shard)
        tracing.record("ubscore", name, SpanKind.CONSUMER, way, began_ns, attributes)


def _way(frame: AnyFrame, shard: int) -> Way:
    return Way(traced.context(frame), origin(frame, shard).traceparent)


def _step(frame: AnyFrame, shard: int) -> int:
    # By identity of the type, because isinstance() of a Struct's subclass takes its time.
    return tracing.hop(f"fill {shard}" if type(frame) is TracedEngineFrame else "decide")
