"""Decimals and integers: nothing is rounded, everything that does not fit is refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from system.assets import ASSETS, BY_NAME, MAX_AMOUNT, AmountRefused, Asset, parse, show


@given(raw=st.integers(1, MAX_AMOUNT), asset=st.sampled_from(ASSETS))
def test_what_is_shown_is_parsed_back(raw: int, asset: Asset) -> None:
    assert parse(show(raw, asset), asset) == raw
    assert Decimal(show(raw, asset)) * 10**asset.decimals == raw


@given(text=st.text(max_size=30) | st.from_regex(r"\A-?[0-9]{0,25}(\.[0-9]{0,12})?\Z"))
def test_a_text_is_either_exact_or_refused(text: str) -> None:
    asset = BY_NAME["BTC"]
    try:
        raw = parse(text, asset, asset.lot_digits)
    except AmountRefused as refused:
        reasons = {"bad_amount", "too_many_digits", "not_positive", "overflow"}
        assert refused.reason in reasons  # noqa: PT017 - not every text is refused
    else:
        assert Decimal(text) * 10**asset.decimals == raw
        assert 0 < raw <= MAX_AMOUNT


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "bad_amount"),
        ("1e3", "bad_amount"),
        ("-1", "bad_amount"),
        ("+1", "bad_amount"),
        (" 1", "bad_amount"),
        ("01", "bad_amount"),
        ("1.", "bad_amount"),
        ("\u0661", "bad_amount"),
        ("1" * 65, "bad_amount"),
        ("0.0001", "too_many_digits"),
        ("0", "not_positive"),
        ("0.000", "not_positive"),
        ("92233720368.548", "overflow"),
    ],
)
def test_a_refusal_has_its_reason(text: str, reason: str) -> None:
    asset = BY_NAME["BTC"]
    with pytest.raises(AmountRefused) as caught:
        parse(text, asset, asset.lot_digits)
    assert caught.value.reason == reason


def test_the_largest_amount_fits() -> None:
    assert parse("92233720368.54775807", BY_NAME["BTC"]) == MAX_AMOUNT
