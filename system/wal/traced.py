"""Frames that remember the trace context that their record came with, and pass it on."""

from typing import Any, TypeVar

import msgspec

from system.wal.frames import (
    CommandFrame,
    EngineFrame,
    OrderFrame,
    TracedEngineFrame,
    TracedFrame,
    TracedOrderFrame,
)

_TRACED: dict[type[Any], type[Any]] = {
    CommandFrame: TracedFrame,
    OrderFrame: TracedOrderFrame,
    EngineFrame: TracedEngineFrame,
}
_PLAIN = {traced: plain for plain, traced in _TRACED.items()}

F = TypeVar("F", bound=CommandFrame | EngineFrame)


def traced(frame: F, traceparent: str) -> F:
    """Return a frame with the context; as it is, if there is none."""
    if not traceparent:
        return frame
    made: F = _TRACED[type(frame)](*msgspec.structs.astuple(frame), traceparent)
    return made


def plain(frame: F) -> F:
    """Return what a frame says apart from its context."""
    type_ = _PLAIN.get(type(frame))
    if type_ is None:
        return frame
    made: F = type_(*msgspec.structs.astuple(frame)[:-1])
    return made


def context(frame: CommandFrame | EngineFrame) -> str:
    """Return the context that a frame's record came with; "" if it had none."""
    return getattr(frame, "traceparent", "")
