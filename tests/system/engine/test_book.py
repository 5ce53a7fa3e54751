"""The book: who trades with whom, at which price, and what becomes of the rest."""

import pytest
from msgspec.structs import replace

from system.engine.matching import Emitted, Market
from system.errors import Halt
from system.records import GENESIS, MAX_FILLS, Validated, decode_output, sealed
from tests.system.engine.flow import LOT, cancel, order, source


def applied(*records: Validated) -> tuple[Market, list[Emitted]]:
    market = Market(1)
    return market, [market.apply(record, source(n)) for n, record in enumerate(records)]


def fills(emitted: Emitted) -> list[tuple[int, int]]:
    return [(trade.price, trade.quantity // LOT) for trade in emitted.output.trades]


def last(emitted: Emitted) -> tuple[str, str | None, int]:
    state = emitted.output.orders[-1]
    return state.status, state.ending, state.remaining // LOT


def test_the_better_price_goes_first_then_the_older_order() -> None:
    dear, old, young = order(1, "sell", 12, 1), order(2, "sell", 11, 1), order(3, "sell", 11, 1)

    _, outputs = applied(dear, old, young, order(4, "buy", 12, 3, user_id=7))

    trades = outputs[-1].output.trades
    assert [trade.maker.order_id for trade in trades] == [
        old.order_id,
        young.order_id,
        dear.order_id,
    ]
    assert fills(outputs[-1]) == [(11, 1), (11, 1), (12, 1)]


def test_a_partial_fill_keeps_the_makers_place() -> None:
    first, second = order(1, "buy", 10, 5), order(2, "buy", 10, 5)

    _, outputs = applied(
        first, second, order(3, "sell", 10, 2, user_id=7), order(4, "sell", 10, 4, user_id=7)
    )

    makers = [trade.maker.order_id for trade in outputs[-1].output.trades]
    assert makers == [first.order_id, second.order_id]
    assert fills(outputs[-1]) == [(10, 3), (10, 1)]


def test_a_limit_order_rests_an_ioc_and_a_market_order_do_not() -> None:
    sell = order(1, "sell", 10, 1)

    for kind, lasting, end in (
        ("limit", "gtc", ("open", None, 2)),
        ("limit", "ioc", ("cancelled", "ioc", 2)),
        ("market", "ioc", ("cancelled", "ioc", 2)),
    ):
        taker = order(2, "buy", 10, 3, user_id=7, kind=kind, lasting=lasting)  # type: ignore[arg-type]
        market, outputs = applied(sell, taker)
        assert last(outputs[-1]) == end
        assert (taker.order_id in market.book.orders) == (lasting == "gtc")


def test_a_market_order_does_not_go_beyond_its_bound() -> None:
    bound = order(3, "buy", 10, 2, user_id=7, kind="market", lasting="ioc")

    _, outputs = applied(order(1, "sell", 10, 1), order(2, "sell", 11, 1), bound)

    assert fills(outputs[-1]) == [(10, 1)]
    assert last(outputs[-1]) == ("cancelled", "ioc", 1)


def test_a_takers_rest_is_cancelled_at_its_first_own_order_which_stays() -> None:
    foreign, own = order(1, "sell", 10, 1, user_id=8), order(2, "sell", 11, 1, user_id=7)
    beyond = order(3, "sell", 12, 1, user_id=8)

    market, outputs = applied(foreign, own, beyond, order(4, "buy", 12, 3, user_id=7))

    assert fills(outputs[-1]) == [(10, 1)]
    assert last(outputs[-1]) == ("cancelled", "self_trade", 2)
    assert set(market.book.orders) == {own.order_id, beyond.order_id}


@pytest.mark.parametrize(
    ("makers", "end"),
    [(MAX_FILLS, ("open", None, 1)), (MAX_FILLS + 1, ("cancelled", "fills_max", 1))],
)
def test_an_order_fills_a_bounded_number_of_makers(
    makers: int, end: tuple[str, str | None, int]
) -> None:
    sells = [order(n, "sell", 10, 1, user_id=n) for n in range(1, makers + 1)]

    _, outputs = applied(*sells, order(500, "buy", 10, MAX_FILLS + 1, user_id=999))

    assert len(outputs[-1].output.trades) == MAX_FILLS
    assert last(outputs[-1]) == end
    assert len(outputs[-1].value) < 100_000  # a tenth of what a broker takes by default


def test_a_cancel_takes_out_the_rest_and_comes_too_late_afterwards() -> None:
    buy = order(1, "buy", 10, 5)

    market, outputs = applied(
        buy, order(2, "sell", 10, 2, user_id=7), cancel(3, buy), cancel(4, buy)
    )

    assert [one.output.outcome for one in outputs[2:]] == ["cancelled", "order_closed"]
    assert last(outputs[2]) == ("cancelled", "requested", 3)
    assert outputs[2].output.orders[0].unlocked == 30
    assert outputs[3].output.orders == ()
    assert not market.book.orders
    assert not market.book.bids.keys


def test_nobody_cancels_somebody_elses_order() -> None:
    buy = order(1, "buy", 10, 5)

    market, outputs = applied(buy, cancel(2, buy, user_id=7))

    assert outputs[-1].output.outcome == "order_closed"
    assert buy.order_id in market.book.orders


def test_the_price_improvement_is_unlocked_when_a_buy_is_filled() -> None:
    _, outputs = applied(order(1, "sell", 8, 3), order(2, "buy", 10, 3, user_id=7))

    buy = outputs[-1].output.orders[-1]
    assert (buy.status, buy.paid, buy.unlocked, buy.locked_asset_id) == ("filled", 24, 6, 2)


def test_fees_are_taken_from_what_is_received_and_rounded_down() -> None:
    _, outputs = applied(
        order(1, "sell", 1999, 1, ppm=(1000, 0)),
        order(2, "buy", 2000, 1, user_id=7, ppm=(0, 1500)),
    )

    (trade,) = outputs[-1].output.trades
    assert (trade.maker.received, trade.maker.fee) == (1998, 1)  # 1.999 rounded down
    assert (trade.taker.received, trade.taker.fee) == (999, 1)  # 1.5 rounded down
    assert (trade.maker.paid, trade.taker.paid) == (1000, 1999)


def test_outputs_are_numbered_chained_and_sealed() -> None:
    _, outputs = applied(order(1, "sell", 8, 3), order(2, "buy", 10, 3, user_id=7))

    first, second = (decode_output(one.value) for one in outputs)
    assert (first.output_seq, second.output_seq) == (1, 2)
    assert (first.previous_hash, second.previous_hash) == (GENESIS, first.hash)
    assert sealed(first)
    assert sealed(second)


def test_a_symbol_whose_terms_change_halts() -> None:
    market, _ = applied(order(1, "sell", 8, 3))
    changed = order(2, "sell", 8, 4)

    with pytest.raises(Halt, match="symbol_changed"):
        market.apply(replace(changed, lot=LOT * 2), source(1))


def test_an_order_that_stands_already_halts() -> None:
    market, _ = applied(order(1, "sell", 8, 3))

    with pytest.raises(Halt, match="order_repeated"):
        market.apply(order(1, "sell", 8, 3), source(1))
