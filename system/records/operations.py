"""Operations: what clients want done, as the gateway accepted it; keyed by user.

Amounts are raw integers (amount x 10^decimals). A price is in *raw quote units per lot*, a
quantity in raw base units and a multiple of the symbol's lot, so that price x quantity / lot is
exact; `system.symbols` has the lots.
"""

import hashlib

from system.records.fields import (
    ORDERS_SINCE,
    Amount,
    Hash,
    Id,
    Kind,
    OrderId,
    OrderVersion,
    Record,
    RequestId,
    Side,
    TimeInForce,
)
from system.records.reading import Reader

OPERATIONS = "balance.operations"


class Deposit(Record, frozen=True, kw_only=True, tag="deposit"):
    """A transfer in."""

    user_id: Id
    request_id: RequestId
    body_hash: Hash
    asset_id: Id
    amount: Amount


class Withdraw(Record, frozen=True, kw_only=True, tag="withdraw"):
    """A transfer out."""

    user_id: Id
    request_id: RequestId
    body_hash: Hash
    asset_id: Id
    amount: Amount


class PlaceOrder(Record, frozen=True, kw_only=True, tag="place_order"):
    """A new order. A market order has a price, too: the bound it may go to; it never rests."""

    v: OrderVersion = ORDERS_SINCE
    user_id: Id
    request_id: RequestId
    body_hash: Hash
    order_id: OrderId
    symbol_id: Id
    side: Side
    kind: Kind
    time_in_force: TimeInForce
    price: Amount
    quantity: Amount

    def __post_init__(self) -> None:
        if self.kind == "market" and self.time_in_force != "ioc":
            raise ValueError("a market order is ioc")
        if self.order_id != order_id(self.user_id, self.request_id, self.body_hash):
            raise ValueError("the order id is not that of this user, request and body")


class Cancel(Record, frozen=True, kw_only=True, tag="cancel"):
    """Take an order's rest out of the book; who has the order knows its symbol."""

    v: OrderVersion = ORDERS_SINCE
    user_id: Id
    request_id: RequestId
    body_hash: Hash
    order_id: OrderId


Transfer = Deposit | Withdraw
Operation = Deposit | Withdraw | PlaceOrder | Cancel

decode_transfer = Reader[Transfer](Transfer)
decode_operation = Reader[Operation](Operation)


def body_hash(route: str, user_id: int, request_id: str, *body: int | str) -> str:
    """Return the SHA-256 of the canonical command, as 64 hexadecimal digits.

    `body` is asset_id, amount for transfers; symbol_id, side, kind, time_in_force, price, quantity
    for orders; order_id for cancels. None of them holds a line feed.
    """
    canonical = "\n".join(map(str, (route, user_id, request_id, *body)))
    return hashlib.sha256(canonical.encode()).hexdigest()


def order_id(user_id: int, request_id: str, body_hash: str) -> str:
    """Return the id of the order that a request places: the same on every retry and gateway."""
    canonical = f"{user_id}\n{request_id}\n{body_hash}"
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]
