"""What answers look like: the shapes that the OpenAPI document promises; amounts are decimals."""

from typing import Annotated, Literal

import msgspec

from system.records import Id, Kind, OrderId, RequestId, Side, TimeInForce

Decimal = Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?$")]
Milliseconds = Annotated[int, msgspec.Meta(ge=0)]


class Shape(msgspec.Struct, forbid_unknown_fields=True):
    """A part of an answer."""


class Refusal(Shape, omit_defaults=True):
    """A request that is not carried out, or of which nobody knows: `outcome` then says so."""

    reason: str
    detail: str
    outcome: Literal["nothing_happened", "unknown"] | msgspec.UnsetType = msgspec.UNSET
    body_hash: str | msgspec.UnsetType = msgspec.UNSET  # of the body that was there before


class Accepted(Shape):
    """A command that is in the log and will be decided exactly once."""

    request_id: RequestId
    status: Literal["accepted"]


class AcceptedOrder(Shape):
    """An order, or a cancel of one, that will be decided exactly once."""

    request_id: RequestId
    status: Literal["accepted"]
    order_id: OrderId


class Balance(Shape):
    """An account as of its newest row."""

    asset: str
    avail: Decimal
    frozen: Decimal
    seq: int


class Balances(Shape):
    """A user's accounts."""

    user_id: Id
    balances: list[Balance]


class Entry(Shape):
    """A row of the ledger."""

    seq: int
    event_type: str
    delta_avail: Decimal
    delta_frozen: Decimal
    avail: Decimal
    frozen: Decimal
    ref_id: str
    created_at: Milliseconds


class LedgerPage(Shape):
    """Rows of an account, newest first."""

    user_id: Id
    asset: str
    rows: list[Entry]
    next_before: int | None


class Effect(Shape):
    """A ledger row that a request caused."""

    event_type: str
    asset: str
    seq: int
    delta_avail: Decimal
    delta_frozen: Decimal
    avail: Decimal
    frozen: Decimal


class Conflict(Shape):
    """A body that came too late under a key that was used before."""

    body_hash: str
    status: str
    reason: str


class Decision(Shape, omit_defaults=True):
    """What became of a request key."""

    request_id: RequestId
    status: Literal["pending", "done", "rejected"]
    body_hash: str | msgspec.UnsetType = msgspec.UNSET
    reason: str | msgspec.UnsetType | None = msgspec.UNSET
    effects: list[Effect] | msgspec.UnsetType = msgspec.UNSET
    conflicts: list[Conflict] | msgspec.UnsetType = msgspec.UNSET


class Order(Shape):
    """An order as its last output left it."""

    order_id: OrderId
    symbol: str
    side: Side
    type: Kind
    time_in_force: TimeInForce
    price: Decimal
    quantity: Decimal
    status: Literal["open", "filled", "cancelled"]
    ending: Literal["requested", "ioc", "self_trade", "fills_max"] | None
    filled: Decimal
    remaining: Decimal
    locked_asset: str
    paid: Decimal
    unlocked: Decimal
    created_at: Milliseconds


class OrdersPage(Shape):
    """A user's orders, newest first."""

    user_id: Id
    orders: list[Order]
    next_before: str | None


class Trade(Shape):
    """A trade, without whose it is."""

    trade_id: str
    price: Decimal
    quantity: Decimal
    cost: Decimal
    taker_side: Side
    created_at: Milliseconds


class TradesPage(Shape):
    """A symbol's trades, newest first."""

    symbol: str
    trades: list[Trade]
    next_before: str | None


class Health(Shape):
    """That the process serves, or is ready."""

    status: Literal["ok", "ready"]
