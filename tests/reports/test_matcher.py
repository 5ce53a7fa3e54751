"""The engine against the reference matcher, and what holds for both whatever comes."""

import random
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.matcher import Reference
from system.engine.book import Book, Fill, Ladder, Order
from system.engine.matching import Market, resume
from system.records import (
    GENESIS,
    MAX_FILLS,
    PPM,
    Validated,
    ValidatedOrder,
    decode_output,
    sealed,
)
from system.records.outputs import Ending
from tests.system.engine.flow import LOT, order, source, stream

seeds = st.integers(0, 2**32)


def streams(seed: int) -> list[Validated]:
    chance = random.Random(seed)
    return stream(chance, chance.randint(1, 80), chance.randint(2, 6), chance.randint(1, 8))


@settings(max_examples=200, deadline=None)
@given(seeds)
def test_the_engine_does_what_the_reference_does(seed: int) -> None:
    market, reference = Market(1), Reference(1)

    for offset, record in enumerate(streams(seed)):
        output = market.apply(record, source(offset)).output
        expected = reference.apply(record)
        assert (output.outcome, output.trades, output.orders) == expected
        standing = [(one.order_id, one.remaining) for one in market.state.orders]
        assert standing == reference.book


def test_both_stop_at_the_same_maker() -> None:
    sells: list[Validated] = [order(n, "sell", 10, 1, user_id=n) for n in range(1, MAX_FILLS + 3)]
    market, reference = Market(1), Reference(1)

    for offset, record in enumerate([*sells, order(500, "buy", 10, 200, user_id=999)]):
        output = market.apply(record, source(offset)).output
        assert (output.outcome, output.trades, output.orders) == reference.apply(record)


def newest_first(patch: pytest.MonkeyPatch) -> None:
    def add(self: Ladder, order: Order) -> None:
        sound(self, order)
        self.levels[order.price * self.sign].move_to_end(order.order_id, last=False)

    sound = Ladder.add
    patch.setattr(Ladder, "add", add)


def trades_with_oneself(patch: pytest.MonkeyPatch) -> None:
    def place(self: Book, taker: Order) -> tuple[list[Fill], Ending | None]:
        user, taker.user_id = taker.user_id, -1
        done = sound(self, taker)
        taker.user_id = user
        return done

    sound = Book.place
    patch.setattr(Book, "place", place)


def fees_rounded_up(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("system.engine.matching.fee", lambda got, ppm: -(-got * ppm // PPM))


def fewer_fills(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("system.engine.book.MAX_FILLS", 2)


def anybody_cancels(patch: pytest.MonkeyPatch) -> None:
    def cancel(self: Book, order_id: str, _: int) -> Order | None:
        found = self.orders.get(order_id)
        return sound(self, order_id, found.user_id) if found else None

    sound = Book.cancel
    patch.setattr(Book, "cancel", cancel)


@pytest.mark.parametrize(
    "mistake", [newest_first, trades_with_oneself, fees_rounded_up, fewer_fills, anybody_cancels]
)
def test_the_reference_sees_a_mistake_of_the_engine(
    mistake: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mistake(monkeypatch)

    assert any(disagree(seed) for seed in range(50))


def disagree(seed: int) -> bool:
    market, reference = Market(1), Reference(1)
    for offset, record in enumerate(streams(seed)):
        expected = reference.apply(record)
        output = market.apply(record, source(offset)).output
        if (output.outcome, output.trades, output.orders) != expected:
            return True
    return False


@settings(max_examples=100, deadline=None)
@given(seeds)
def test_no_unit_is_made_or_lost(seed: int) -> None:
    market = Market(1)
    frozen: Counter[str] = Counter()  # per order, of what it gives

    for offset, record in enumerate(streams(seed)):
        output = market.apply(record, source(offset)).output
        if isinstance(record, ValidatedOrder):
            lots = record.quantity // LOT
            frozen[record.order_id] = (
                record.price * lots if record.side == "buy" else record.quantity
            )
        for trade in output.trades:
            buyer, seller = (
                (trade.maker, trade.taker)
                if trade.maker.side == "buy"
                else (trade.taker, trade.maker)
            )
            assert buyer.paid == trade.cost == seller.received + seller.fee
            assert seller.paid == trade.quantity == buyer.received + buyer.fee
            assert trade.cost == trade.price * (trade.quantity // LOT)
            assert buyer.user_id != seller.user_id
            for party in (buyer, seller):
                frozen[party.order_id] -= party.paid
        for state in output.orders:
            assert state.remaining >= 0
            assert state.filled + state.remaining == state.quantity
            frozen[state.order_id] -= state.unlocked
            assert frozen[state.order_id] >= 0
            assert (frozen[state.order_id] == 0) == (state.status != "open")


@settings(max_examples=50, deadline=None)
@given(seeds, st.integers(0, 80))
def test_a_market_that_rested_goes_on_with_the_same_bytes(seed: int, rest_after: int) -> None:
    records = streams(seed)
    straight, rested = Market(1), Market(1)

    previous = GENESIS
    for offset, record in enumerate(records):
        if offset == rest_after:
            (rested,) = resume([rested.state]).values()
        value = straight.apply(record, source(offset)).value
        assert rested.apply(record, source(offset)).value == value
        output = decode_output(value)
        assert sealed(output)
        assert (output.output_seq, output.previous_hash) == (offset + 1, previous)
        previous = output.hash
