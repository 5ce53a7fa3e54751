"""Terms of orders at their borders: the last value that is taken, the first that is not."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from system import orders, symbols
from system.assets import MAX_AMOUNT
from system.orders import OrderRefused, Terms
from system.symbols import Symbol

BTC_USDT = symbols.BY_NAME["BTC_USDT"]
WIDE = Symbol(id=9, name="WIDE", base=BTC_USDT.base, quote=BTC_USDT.quote, price_digits=2)


def terms(price: int, quantity: int, symbol: Symbol = WIDE) -> Terms:
    return Terms(symbol, "buy", "limit", "gtc", price, quantity)


def read(**changes: str | None) -> Terms:
    given: dict[str, str | None] = {
        "symbol": "BTC_USDT",
        "side": "buy",
        "kind": "limit",
        "time_in_force": "gtc",
        "price": "50000.00",
        "quantity": "1.5",
    }
    return orders.read(**{**given, **changes})  # type: ignore[arg-type]


def test_decimals_become_raw_integers() -> None:
    assert read() == Terms(BTC_USDT, "buy", "limit", "gtc", 5_000_000_000, 150_000_000)
    assert read().lock == 75_000 * 10**8
    assert read().locked_asset_id == 2
    assert read(side="sell").lock == 150_000_000
    assert read(side="sell").locked_asset_id == 1


def test_without_a_time_in_force_a_limit_rests_and_a_market_order_does_not() -> None:
    assert read(time_in_force=None).time_in_force == "gtc"
    assert read(time_in_force=None, kind="market").time_in_force == "ioc"


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("symbol", "DOGE_USDT", "unknown_symbol"),
        ("symbol", "", "unknown_symbol"),
        ("side", "BUY", "bad_side"),
        ("kind", "stop", "bad_type"),
        ("time_in_force", "day", "bad_time_in_force"),
        ("price", "0", "price_not_positive"),
        ("price", "0.00", "price_not_positive"),
        ("price", "0.001", "price_off_tick"),
        ("price", "-1", "bad_price"),
        ("price", "1e3", "bad_price"),
        ("price", "01", "bad_price"),
        ("price", "1.", "bad_price"),
        ("price", "\u0661", "bad_price"),
        ("price", "NaN", "bad_price"),
        ("price", "9" * 65, "bad_price"),
        ("price", "9" * 64, "price_too_high"),
        ("price", "10000000.01", "price_too_high"),
        ("quantity", "0", "quantity_not_positive"),
        ("quantity", "0.0001", "quantity_off_lot"),
        ("quantity", "+1", "bad_quantity"),
        ("quantity", "", "bad_quantity"),
        ("quantity", "100000.001", "quantity_too_large"),
    ],
)
def test_what_a_client_wrote_wrong_has_its_reason(field: str, value: str, reason: str) -> None:
    with pytest.raises(OrderRefused) as refused:
        read(**{field: value})

    assert refused.value.reason == reason
    assert len(str(refused.value)) < 200


def test_a_market_order_that_would_rest_is_refused() -> None:
    with pytest.raises(OrderRefused) as refused:
        read(kind="market", time_in_force="gtc")

    assert refused.value.reason == "market_not_ioc"


@pytest.mark.parametrize(("price", "quantity"), [("0.01", "0.001"), ("10000000.00", "0.001")])
def test_the_smallest_and_the_largest_are_taken(price: str, quantity: str) -> None:
    assert read(price=price, quantity=quantity)
    assert read(price="0.01", quantity="100000.000")


def test_the_cost_may_be_the_largest_amount_and_not_a_tick_more() -> None:
    most = MAX_AMOUNT // WIDE.tick * WIDE.tick
    orders.check(terms(most, WIDE.lot))
    half = most // 2 // WIDE.tick * WIDE.tick
    orders.check(terms(half, 2 * WIDE.lot))

    with pytest.raises(OrderRefused) as refused:
        orders.check(terms(half + WIDE.tick, 2 * WIDE.lot))
    assert refused.value.reason == "cost_overflow"


@pytest.mark.parametrize(
    ("price", "quantity", "reason"),
    [
        (WIDE.tick + 1, WIDE.lot, "price_off_tick"),
        (WIDE.tick - 1, WIDE.lot, "price_off_tick"),
        (0, WIDE.lot, "price_not_positive"),
        (-WIDE.tick, WIDE.lot, "price_not_positive"),
        (WIDE.tick, WIDE.lot - 1, "quantity_off_lot"),
        (WIDE.tick, 0, "quantity_not_positive"),
        (2**63, WIDE.lot, "price_off_tick"),
        ((2**63 // WIDE.tick + 1) * WIDE.tick, WIDE.lot, "price_too_high"),
        (WIDE.tick, (2**63 // WIDE.lot + 1) * WIDE.lot, "quantity_too_large"),
    ],
)
def test_integers_off_their_steps_or_out_of_bounds_are_refused(
    price: int, quantity: int, reason: str
) -> None:
    with pytest.raises(OrderRefused) as refused:
        orders.check(terms(price, quantity))

    assert refused.value.reason == reason


def test_a_quantity_below_the_least_is_refused() -> None:
    with pytest.raises(OrderRefused) as refused:
        orders.check(terms(1000, BTC_USDT.lot, _at_least(2 * BTC_USDT.lot)))

    assert refused.value.reason == "quantity_too_small"


def _at_least(quantity: int) -> Symbol:
    return Symbol(
        id=9,
        name="COARSE",
        base=BTC_USDT.base,
        quote=BTC_USDT.quote,
        price_digits=2,
        quantity_min=quantity,
    )


@given(st.text(max_size=70), st.text(max_size=70))
def test_whatever_is_written_it_is_taken_exactly_or_refused(price: str, amount: str) -> None:
    with suppress(OrderRefused):  # any other error is ours
        taken = read(price=price, quantity=amount)

        assert 0 < BTC_USDT.cost(taken.price, taken.quantity) <= MAX_AMOUNT
