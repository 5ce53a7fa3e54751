"""The order book of one symbol: price-time priority. Pure; knows no clock, no id of its own.

Trades are at the maker's price. A maker that is filled in part keeps its place. A taker never
trades with its own user: at the first own order it would meet, its rest is cancelled. One order
fills at most `MAX_FILLS` makers; what it would go on to fill is cancelled.
"""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from system.records import MAX_FILLS, Kind, Side, TimeInForce
from system.records.outputs import Ending


class Order(msgspec.Struct, kw_only=True, array_like=True, gc=False, forbid_unknown_fields=True):
    """An order and how far it is filled; amounts as in `system.records`."""

    order_id: str
    user_id: int
    side: Side
    kind: Kind
    time_in_force: TimeInForce
    price: int
    quantity: int
    remaining: int
    created_at: int
    maker_ppm: int
    paid: int = 0  # of what it gives: quote to buy, base to sell


class Fill(NamedTuple):
    """A match of the taker with one maker, at the maker's price."""

    maker: Order
    quantity: int
    cost: int


class Ladder:
    """One side of the book: prices in order, the best one last; at each the oldest order first.

    A price's key is the price to buy and its negative to sell, so that higher is better on both
    sides. A sorted list of keys beats trees at the depth of real books: an insertion moves some
    kilobytes at once, everything else is a look at the end.
    """

    __slots__ = ("keys", "levels", "sign")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: list[int] = []
        self.levels: dict[int, OrderedDict[str, Order]] = {}

    def add(self, order: Order) -> None:
        """Put an order behind all others of its price."""
        key = order.price * self.sign
        level = self.levels.get(key)
        if level is None:
            insort(self.keys, key)
            level = self.levels[key] = OrderedDict()
        level[order.order_id] = order

    def remove(self, order: Order) -> None:
        """Take an order out, wherever it stands."""
        key = order.price * self.sign
        level = self.levels[key]
        del level[order.order_id]
        if not level:
            del self.levels[key]
            if self.keys[-1] == key:
                self.keys.pop()
            else:
                del self.keys[bisect_left(self.keys, key)]

    def __iter__(self) -> Iterator[Order]:
        """Yield the orders by priority."""
        for key in reversed(self.keys):
            yield from self.levels[key].values()


class Book:
    """Both sides of one symbol, which trades in lots of `lot` raw base units."""

    __slots__ = ("asks", "bids", "lot", "orders")

    def __init__(self, lot: int) -> None:
        self.lot = lot
        self.bids = Ladder(1)
        self.asks = Ladder(-1)
        self.orders: dict[str, Order] = {}

    def place(self, taker: Order) -> tuple[list[Fill], Ending | None]:
        """Match an order, let its rest stand if it may; return its fills, and why it ended.

        The end is None for an order that is filled or now stands in the book.
        """
        makers, own = (self.asks, self.bids) if taker.side == "buy" else (self.bids, self.asks)
        fills, ending = self._match(taker, makers)
        if taker.remaining and ending is None:
            if taker.time_in_force == "gtc":
                self.orders[taker.order_id] = taker
                own.add(taker)
            else:
                ending = "ioc"
        return fills, ending

    def _match(self, taker: Order, makers: Ladder) -> tuple[list[Fill], Ending | None]:
        fills: list[Fill] = []
        limit = taker.price * makers.sign
        keys, levels, lot = makers.keys, makers.levels, self.lot
        remaining = taker.remaining
        while remaining and keys and keys[-1] >= limit:
            maker = next(iter(levels[keys[-1]].values()))
            if maker.user_id == taker.user_id:
                return fills, "self_trade"
            if len(fills) == MAX_FILLS:
                return fills, "fills_max"
            rest = maker.remaining
            quantity = min(remaining, rest)
            cost = maker.price * (quantity // lot)
            remaining -= quantity
            taker.remaining = remaining
            maker.remaining = rest - quantity
            if makers.sign < 0:
                taker.paid += cost
                maker.paid += quantity
            else:
                taker.paid += quantity
                maker.paid += cost
            if rest == quantity:
                makers.remove(maker)
                del self.orders[maker.order_id]
            fills.append(Fill(maker, quantity, cost))
        return fills, None

    def cancel(self, order_id: str, user_id: int) -> Order | None:
        """Take a user's order out of the book; None if it does not stand there."""
        order = self.orders.get(order_id)
        if order is None or order.user_id != user_id:
            return None
        del self.orders[order_id]
        (self.bids if order.side == "buy" else self.asks).remove(order)
        return order

    def resume(self, orders: Iterator[Order] | list[Order]) -> None:
        """Put orders back, in the order of their priority."""
        for order in orders:
            self.orders[order.order_id] = order
            (self.bids if order.side == "buy" else self.asks).add(order)
