"""Symbols: costs are exact, and a symbol for which they would not be is refused."""

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from system.symbols import BY_NAME, SYMBOLS, Symbol, show_price

BTC_USDT = BY_NAME["BTC_USDT"]


@given(st.sampled_from(SYMBOLS), st.integers(1, 10**12), st.integers(1, 10**12))
def test_the_cost_is_what_price_and_quantity_say(symbol: Symbol, ticks: int, lots: int) -> None:
    price, quantity = ticks * symbol.tick, lots * symbol.lot

    decimal_price = Fraction(ticks, 10**symbol.price_digits)
    decimal_quantity = Fraction(quantity, 10**symbol.base.decimals)
    cost = decimal_price * decimal_quantity * 10**symbol.quote.decimals
    assert symbol.cost(price, quantity) == cost


def test_fifty_thousand_a_bitcoin_is_fifty_a_lot() -> None:
    assert BTC_USDT.lot == 100_000
    assert BTC_USDT.tick == 1_000
    assert show_price(5_000_000_000, BTC_USDT) == "50000.00"
    assert BTC_USDT.cost(5_000_000_000, 10**8) == 50_000 * 10**8


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"price_digits": 6}, "do not make exact costs"),
        ({"price_digits": -1}, "do not make exact costs"),
        ({"quantity_min": 0}, "no quantity"),
        ({"quantity_max": 2**63}, "no quantity"),
        ({"quantity_min": 2, "quantity_max": 1}, "no quantity"),
        ({"price_max": 999}, "no price"),
        ({"price_max": 2**63}, "no price"),
        ({"base": msgspec.structs.replace(BTC_USDT.base, lot_digits=9)}, "no whole raw unit"),
    ],
)
def test_a_symbol_without_exact_costs_or_room_is_refused(
    changes: dict[str, object], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        msgspec.structs.replace(BTC_USDT, **changes)
