"""The reference matcher: what one symbol's orders must lead to, worked out slowly.

It shares the records with the matching engine and nothing else. It keeps no book: the orders stand
in a list, each with its trades, and everything else (what is left, who comes first, what is
unlocked) is worked out anew at every step.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from system.records import (
    MAX_FILLS,
    OrderState,
    Party,
    Trade,
    Validated,
    ValidatedCancel,
    ValidatedOrder,
)
from system.records.outputs import Ending, Outcome, Status

_MILLION = 1_000_000


class Expected(NamedTuple):
    """What the output of an input must say."""

    outcome: Outcome
    trades: tuple[Trade, ...]
    orders: tuple[OrderState, ...]


@dataclass(slots=True)
class _Entry:
    """An order, and all that happened to it."""

    order: ValidatedOrder
    arrived: int
    traded: list[tuple[int, int]] = field(default_factory=list)  # (price, quantity)
    ended: Ending | None = None

    @property
    def left(self) -> int:
        return self.order.quantity - sum(quantity for _, quantity in self.traded)

    @property
    def standing(self) -> bool:
        return self.left > 0 and self.ended is None


class Reference:
    """One symbol, from its first input on."""

    def __init__(self, symbol_id: int) -> None:
        self.symbol_id = symbol_id
        self.inputs = 0
        self._entries: list[_Entry] = []

    def apply(self, record: Validated) -> Expected:
        """Return what the next input must lead to."""
        self.inputs += 1
        if isinstance(record, ValidatedCancel):
            return self._cancel(record)
        entry = _Entry(record, self.inputs)
        trades: list[Trade] = []
        makers: list[_Entry] = []
        while entry.standing and (maker := self._next_maker(entry)) is not None:
            if maker.order.user_id == record.user_id:
                entry.ended = "self_trade"
            elif len(makers) == MAX_FILLS:
                entry.ended = "fills_max"
            else:
                trades.append(self._trade(len(trades) + 1, maker, entry))
                makers.append(maker)
        if entry.standing and record.time_in_force == "ioc":
            entry.ended = "ioc"
        self._keep(entry)
        return Expected("placed", tuple(trades), tuple(_state(one) for one in (*makers, entry)))

    @property
    def book(self) -> list[tuple[str, int]]:
        """The orders that stand, and what is left of them: bids, then asks, each by priority."""
        bids = sorted(
            (entry for entry in self._entries if entry.order.side == "buy"),
            key=lambda entry: (-entry.order.price, entry.arrived),
        )
        asks = sorted(
            (entry for entry in self._entries if entry.order.side == "sell"),
            key=lambda entry: (entry.order.price, entry.arrived),
        )
        return [(entry.order.order_id, entry.left) for entry in bids + asks]

    def _cancel(self, record: ValidatedCancel) -> Expected:
        for entry in self._entries:
            mine = entry.order.user_id == record.user_id
            if entry.order.order_id == record.order_id and mine:
                entry.ended = "requested"
                self._keep()
                return Expected("cancelled", (), (_state(entry),))
        return Expected("order_closed", (), ())

    def _keep(self, *new: _Entry) -> None:
        self._entries = [entry for entry in (*self._entries, *new) if entry.standing]

    def _next_maker(self, taker: _Entry) -> _Entry | None:
        bound = taker.order.price
        if taker.order.side == "buy":
            crossing = [
                entry
                for entry in self._entries
                if entry.standing and entry.order.side == "sell" and entry.order.price <= bound
            ]
            crossing.sort(key=lambda entry: (entry.order.price, entry.arrived))
        else:
            crossing = [
                entry
                for entry in self._entries
                if entry.standing and entry.order.side == "buy" and entry.order.price >= bound
            ]
            crossing.sort(key=lambda entry: (-entry.order.price, entry.arrived))
        return crossing[0] if crossing else None

    def _trade(self, number: int, maker: _Entry, taker: _Entry) -> Trade:
        price, quantity = maker.order.price, min(maker.left, taker.left)
        maker.traded.append((price, quantity))
        taker.traded.append((price, quantity))
        cost = _cost(maker.order, price, quantity)
        return Trade(
            trade_id=f"{self.symbol_id}-{self.inputs}-{number}",
            price=price,
            quantity=quantity,
            cost=cost,
            maker=_party(maker.order, maker.order.maker_ppm, quantity, cost),
            taker=_party(taker.order, taker.order.taker_ppm, quantity, cost),
        )


def _cost(order: ValidatedOrder, price: int, quantity: int) -> int:
    cost = Fraction(price * quantity, order.lot)
    assert cost.denominator == 1, "quantities are whole lots"
    return cost.numerator


def _party(order: ValidatedOrder, ppm: int, quantity: int, cost: int) -> Party:
    base, quote = (order.base_asset_id, quantity), (order.quote_asset_id, cost)
    gives, gets = (quote, base) if order.side == "buy" else (base, quote)
    fee = int(Fraction(gets[1] * ppm, _MILLION))  # towards zero: down
    return Party(
        order_id=order.order_id,
        user_id=order.user_id,
        side=order.side,
        paid_asset_id=gives[0],
        paid=gives[1],
        received_asset_id=gets[0],
        received=gets[1] - fee,
        fee=fee,
    )


def _state(entry: _Entry) -> OrderState:
    order = entry.order
    if order.side == "buy":
        asset, lock = order.quote_asset_id, _cost(order, order.price, order.quantity)
        paid = sum(_cost(order, price, quantity) for price, quantity in entry.traded)
    else:
        asset, lock = order.base_asset_id, order.quantity
        paid = sum(quantity for _, quantity in entry.traded)
    status: Status = "open" if entry.standing else "cancelled" if entry.ended else "filled"
    return OrderState(
        order_id=order.order_id,
        user_id=order.user_id,
        side=order.side,
        kind=order.kind,
        time_in_force=order.time_in_force,
        price=order.price,
        quantity=order.quantity,
        created_at=order.created_at,
        status=status,
        ending=entry.ended,
        filled=order.quantity - entry.left,
        remaining=entry.left,
        locked_asset_id=asset,
        paid=paid,
        unlocked=0 if entry.standing else lock - paid,
    )
