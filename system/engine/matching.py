"""Matching: turns each validated order or cancel into one output. Pure and deterministic.

Ids, times and fees come from the input alone, so the same inputs give the same bytes, today, after
a crash, and on another machine.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from system.engine.book import Book, Fill, Order
from system.errors import Halt
from system.records import (
    GENESIS,
    PPM,
    EngineOutput,
    OrderState,
    Party,
    Side,
    Source,
    Trade,
    Validated,
    ValidatedOrder,
    seal,
)
from system.records.outputs import Ending, Outcome

RULES = 1  # changes with every change of what an input does; an old log is not replayed under it


class Terms(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What all orders of a symbol must agree on for their prices to be comparable."""

    base_asset_id: int
    quote_asset_id: int
    lot: int


class MarketState(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A symbol's market at rest; orders by priority, bids first."""

    symbol_id: int
    output_seq: int
    hash: str
    terms: Terms | None
    orders: list[Order]


class Emitted(NamedTuple):
    """A finished output, and its bytes."""

    output: EngineOutput
    value: bytes


class Market:
    """One symbol: its book, and the end of its chain of outputs."""

    __slots__ = ("book", "hash", "output_seq", "symbol_id", "terms")

    def __init__(self, symbol_id: int) -> None:
        self.symbol_id = symbol_id
        self.output_seq = 0
        self.hash = GENESIS
        self.terms: Terms | None = None  # until the first order
        self.book = Book(lot=1)

    def apply(self, record: Validated, source: Source) -> Emitted:
        """Apply an input; return its output, which is now the end of the chain."""
        trades: tuple[Trade, ...] = ()
        outcome: Outcome
        if isinstance(record, ValidatedOrder):
            outcome = "placed"
            trades, states = self._place(record)
        else:
            order = self.book.cancel(record.order_id, record.user_id)
            outcome = "order_closed" if order is None else "cancelled"
            states = () if order is None else (self._state(order, "requested"),)
        output = EngineOutput(
            symbol_id=self.symbol_id,
            output_seq=self.output_seq + 1,
            previous_hash=self.hash,
            source=source,
            user_id=record.user_id,
            request_id=record.request_id,
            body_hash=record.body_hash,
            order_id=record.order_id,
            outcome=outcome,
            created_at=record.created_at,
            trades=trades,
            orders=states,
        )
        value, self.hash = seal(output)
        self.output_seq += 1
        return Emitted(output, value)

    def _place(self, record: ValidatedOrder) -> tuple[tuple[Trade, ...], tuple[OrderState, ...]]:
        terms = self._agree(record)
        if record.order_id in self.book.orders:
            raise Halt("order_repeated", f"order {record.order_id} stands in the book already")
        taker = untouched(record)
        fills, ending = self.book.place(taker)
        name = f"{self.symbol_id}-{self.output_seq + 1}"
        trades = tuple(
            _trade(f"{name}-{number}", fill, taker, record.taker_ppm, terms)
            for number, fill in enumerate(fills, 1)
        )
        makers = [self._state(fill.maker, None) for fill in fills]
        return trades, (*makers, self._state(taker, ending))

    def _agree(self, record: ValidatedOrder) -> Terms:
        terms = Terms(record.base_asset_id, record.quote_asset_id, record.lot)
        if self.terms is None:
            self.terms = terms
            self.book.lot = terms.lot
        elif terms != self.terms:
            raise Halt(
                "symbol_changed",
                f"order {record.order_id} of symbol {self.symbol_id} has {terms}, the book has"
                f" {self.terms}; a symbol never changes in place: give the new terms a new symbol",
            )
        return terms

    def _state(self, order: Order, ending: Ending | None) -> OrderState:
        """Return what the world is told of an order, and what is given back of its lock."""
        terms = self.terms
        assert terms is not None, "a market with an order has terms"
        buys = order.side == "buy"
        remaining = order.remaining
        closed = ending is not None or not remaining
        locked = order.price * (order.quantity // terms.lot) if buys else order.quantity
        return OrderState(
            order_id=order.order_id,
            user_id=order.user_id,
            side=order.side,
            kind=order.kind,
            time_in_force=order.time_in_force,
            price=order.price,
            quantity=order.quantity,
            created_at=order.created_at,
            status="cancelled" if ending is not None else "open" if remaining else "filled",
            ending=ending,
            filled=order.quantity - remaining,
            remaining=remaining,
            locked_asset_id=terms.quote_asset_id if buys else terms.base_asset_id,
            paid=order.paid,
            unlocked=locked - order.paid if closed else 0,
        )

    @property
    def state(self) -> MarketState:
        """The market at rest; the orders are the living ones, to be encoded at once."""
        orders = [*self.book.bids, *self.book.asks]
        return MarketState(self.symbol_id, self.output_seq, self.hash, self.terms, orders)


def resume(states: Iterable[MarketState]) -> dict[int, Market]:
    """Return the markets that were at rest."""
    markets = {}
    for state in states:
        market = markets[state.symbol_id] = Market(state.symbol_id)
        market.output_seq, market.hash, market.terms = state.output_seq, state.hash, state.terms
        market.book = Book(state.terms.lot if state.terms else 1)
        market.book.resume(state.orders)
    return markets


def untouched(record: ValidatedOrder) -> Order:
    """Return a new order, nothing of it filled."""
    return Order(
        order_id=record.order_id,
        user_id=record.user_id,
        side=record.side,
        kind=record.kind,
        time_in_force=record.time_in_force,
        price=record.price,
        quantity=record.quantity,
        remaining=record.quantity,
        created_at=record.created_at,
        maker_ppm=record.maker_ppm,
    )


def fee(received: int, ppm: int) -> int:
    """Return the fee on what is received, rounded down."""
    return received * ppm // PPM


def _trade(trade_id: str, fill: Fill, taker: Order, taker_ppm: int, terms: Terms) -> Trade:
    maker = fill.maker
    return Trade(
        trade_id=trade_id,
        price=maker.price,
        quantity=fill.quantity,
        cost=fill.cost,
        maker=_party(maker, maker.side, maker.maker_ppm, fill, terms),
        taker=_party(taker, taker.side, taker_ppm, fill, terms),
    )


def _party(order: Order, side: Side, ppm: int, fill: Fill, terms: Terms) -> Party:
    """Return one party's part: the buyer gives quote for base, the seller base for quote."""
    if side == "buy":
        paid_asset, received_asset = terms.quote_asset_id, terms.base_asset_id
        paid, gross = fill.cost, fill.quantity
    else:
        paid_asset, received_asset = terms.base_asset_id, terms.quote_asset_id
        paid, gross = fill.quantity, fill.cost
    taken = fee(gross, ppm)
    return Party(
        order_id=order.order_id,
        user_id=order.user_id,
        side=side,
        paid_asset_id=paid_asset,
        paid=paid,
        received_asset_id=received_asset,
        received=gross - taken,
        fee=taken,
    )
