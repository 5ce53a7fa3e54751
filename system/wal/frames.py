"""Frames: what the log says, one of them for each thing that became durable at once.

A frame is written in the lowest version of its type that can express it. Version 1 has transfers;
version 2 orders, and what the matching engine's outputs do; 3 and 4 the trace context that a record
came with.
"""

from typing import Any

import msgspec

from system.formats import TRACES

EPOCH, COMMAND, MARK, POSITION, ENGINE = 1, 2, 3, 4, 5
ORDERS_SINCE = 2
TRACED_SINCE, TRACED_ORDERS_SINCE = 3, 4


class Body(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """What a frame says."""


class EpochFrame(Body, frozen=True):
    """The data directory was opened: outputs numbered from here on carry this epoch."""

    counter: int
    bits: str


class Input(Body, frozen=True):
    """The record a command came from; epoch and CRC identify it when the log is opened again."""

    topic: str
    partition: int
    offset: int
    leader_epoch: int
    crc: int


class Leg(Body, frozen=True):
    """One change of one balance, and the balance after it."""

    event_type: str
    user_id: int
    asset_id: int
    seq: int
    delta_avail: int
    delta_frozen: int
    avail: int
    frozen: int


class Output(Body, frozen=True):
    """A finished record; it is published from these bytes, today or after any crash."""

    topic: str
    partition: int
    n: int
    key: bytes
    value: bytes


class CommandFrame(Body, frozen=True):
    """A command, its decision and all its effects: they become durable together.

    `decision` is accepted, rejected or duplicate. `time_ms` is the input partition's time with
    this record in it; request keys from before `forget_ms` are expired and forgotten. It is kept
    apart from `time_ms` so that it never goes back, whatever horizon is configured later.
    """

    input: Input
    time_ms: int
    forget_ms: int
    created_at: int
    user_id: int
    request_id: str
    body_hash: str
    command: bytes
    decision: str
    reason: str | None = None
    legs: tuple[Leg, ...] = ()
    outputs: tuple[Output, ...] = ()


class OrderFrame(CommandFrame, frozen=True):
    """Version 2 of a command's frame: a command to place an order, or to cancel it.

    An accepted placing has the lock as its one leg; an accepted cancel has none, and is pending.
    """

    order_id: str = ""
    symbol_id: int = 0


class TracedFrame(CommandFrame, frozen=True):
    """Version 3 of a command's frame: its record came with a trace context."""

    traceparent: str = ""


class TracedOrderFrame(OrderFrame, frozen=True):
    """Version 4 of a command's frame: the same for orders and cancels."""

    traceparent: str = ""


class Change(Body, frozen=True):
    """An order after an engine output; the amounts are totals, in raw units of what it locks."""

    order_id: str
    paid: int
    unlocked: int
    open: bool


class Link(Body, frozen=True):
    """The last output of a symbol that was taken in."""

    symbol_id: int
    output_seq: int
    hash: str


class EngineFrame(Body, frozen=True):
    """All that one engine output does on this shard: it becomes durable together.

    `ended` is the user and request of the accepted cancel that it answers. `links` has every
    symbol of the partition as of this input, since outputs that do nothing here have no frame.
    """

    input: Input
    created_at: int
    value: bytes
    legs: tuple[Leg, ...]
    outputs: tuple[Output, ...]
    changes: tuple[Change, ...]
    ended: tuple[int, str] | None
    links: tuple[Link, ...]


class TracedEngineFrame(EngineFrame, frozen=True):
    """Version 3 of an engine output's frame: its record came with a trace context."""

    traceparent: str = ""


class Delivered(Body, frozen=True):
    """The last acknowledged record of one output partition; offset -1: not known."""

    topic: str
    partition: int
    n: int
    offset: int


class MarkFrame(Body, frozen=True):
    """Every output of the frames up to `lsn` is acknowledged by Kafka. May lag, never leads."""

    lsn: int
    delivered: tuple[Delivered, ...]


class Position(Body, frozen=True):
    """Where the input goes on: the next offset, and the identity of the record before it."""

    topic: str
    partition: int
    next_offset: int
    leader_epoch: int
    crc: int
    time_ms: int
    forget_ms: int


class PositionFrame(Body, frozen=True):
    """The positions of all inputs, also of those that have been quiet for long."""

    positions: tuple[Position, ...]


class LinkFrame(PositionFrame, frozen=True):
    """Version 2 of a position frame: also how far every symbol was taken in."""

    links: tuple[Link, ...] = ()


AnyFrame = CommandFrame | EngineFrame  # what has effects, and publishes
AnyBody = EpochFrame | AnyFrame | MarkFrame | PositionFrame
_TYPES: dict[type[Body], tuple[int, int]] = {
    EpochFrame: (EPOCH, 1),
    CommandFrame: (COMMAND, 1),
    OrderFrame: (COMMAND, ORDERS_SINCE),
    TracedFrame: (COMMAND, TRACED_SINCE),
    TracedOrderFrame: (COMMAND, TRACED_ORDERS_SINCE),
    MarkFrame: (MARK, 1),
    PositionFrame: (POSITION, 1),
    LinkFrame: (POSITION, ORDERS_SINCE),
    EngineFrame: (ENGINE, ORDERS_SINCE),
    TracedEngineFrame: (ENGINE, TRACED_SINCE),
}
_FORMATS = {  # the format version that brought a type
    number: TRACES if type_ in (TracedFrame, TracedOrderFrame, TracedEngineFrame) else number[1]
    for type_, number in _TYPES.items()
}
_DECODERS: dict[tuple[int, int], msgspec.msgpack.Decoder[Any]] = {
    number: msgspec.msgpack.Decoder(type_) for type_, number in _TYPES.items()
}
_encode = msgspec.msgpack.Encoder().encode


def format_of(kind: int, version: int) -> int:
    """Return the format version that brought a type of frame; 0: none that is known here."""
    return _FORMATS.get((kind, version), 0)


def decoder_of(kind: int, version: int) -> msgspec.msgpack.Decoder[Any] | None:
    """Return what reads the payload of a type of frame; None if it is not known here."""
    return _DECODERS.get((kind, version))


def kind_of(body: AnyBody) -> tuple[int, int, bytes]:
    """Return the type number, its version and the payload of what a frame shall say."""
    return (*_TYPES[type(body)], _encode(body))
