"""Validated orders: what UBSCore lets through to the matching engine; keyed by symbol.

An order carries all that matching needs to know: no setting outside the log has a say.
"""

from system.records.fields import (
    MAX_AMOUNT,
    ORDERS_SINCE,
    Amount,
    Count,
    Hash,
    Id,
    Kind,
    Milliseconds,
    Numbered,
    OrderId,
    OrderVersion,
    Ppm,
    RequestId,
    Side,
    TimeInForce,
)
from system.records.reading import Reader

ORDERS = "orders.validated"


class ValidatedOrder(Numbered, frozen=True, kw_only=True, tag="order"):
    """An order whose cost is locked.

    `price` is in raw quote units per `lot`, `lot` and `quantity` are in raw base units: the order
    locks price x quantity / lot of the quote asset to buy, `quantity` of the base asset to sell.
    Fees are parts per million of what is received, rounded down.
    """

    v: OrderVersion = ORDERS_SINCE
    n: Count
    user_id: Id
    request_id: RequestId
    body_hash: Hash
    order_id: OrderId
    symbol_id: Id
    base_asset_id: Id
    quote_asset_id: Id
    lot: Amount
    side: Side
    kind: Kind
    time_in_force: TimeInForce
    price: Amount
    quantity: Amount
    maker_ppm: Ppm
    taker_ppm: Ppm
    created_at: Milliseconds

    def __post_init__(self) -> None:
        if self.kind == "market" and self.time_in_force != "ioc":
            raise ValueError("a market order is ioc")
        if self.quantity % self.lot:
            raise ValueError(f"quantity {self.quantity} is not a multiple of the lot {self.lot}")
        if self.price * (self.quantity // self.lot) > MAX_AMOUNT:
            raise ValueError(f"the cost of {self.quantity} at {self.price} overflows")


class ValidatedCancel(Numbered, frozen=True, kw_only=True, tag="cancel"):
    """A cancel of an order that this user has placed and that may still be open."""

    v: OrderVersion = ORDERS_SINCE
    n: Count
    user_id: Id
    request_id: RequestId
    body_hash: Hash
    order_id: OrderId
    symbol_id: Id
    created_at: Milliseconds


Validated = ValidatedOrder | ValidatedCancel

decode_validated = Reader[Validated](Validated)
