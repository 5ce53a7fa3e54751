"""Assets, and the only place where decimals become integers and back."""

import re

import msgspec

MAX_AMOUNT = 2**63 - 1
TEXT_MAX = 64  # characters of a decimal; also how much of bad input is quoted
NO_DECIMAL = f"is not a decimal like 12.5, of at most {TEXT_MAX} characters"
_DECIMAL = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?", re.ASCII)


class AmountRefused(ValueError):
    """An amount that cannot be taken; `reason` is the code the client sees."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """What can be held: raw amount = amount x 10^decimals."""

    id: int
    name: str
    decimals: int
    lot_digits: int  # digits after the point that transfers in (and orders) may use


ASSETS = (
    Asset(id=1, name="BTC", decimals=8, lot_digits=3),
    Asset(id=2, name="USDT", decimals=8, lot_digits=2),
    Asset(id=3, name="ETH", decimals=8, lot_digits=4),
)
BY_NAME = {asset.name: asset for asset in ASSETS}
BY_ID = {asset.id: asset for asset in ASSETS}


def parse(text: str, asset: Asset, digits: int | None = None) -> int:
    """Return the raw integer of the decimal `text`, which may use `digits` after the point."""
    allowed = asset.decimals if digits is None else digits
    parts = split(text)
    if parts is None:
        raise AmountRefused("bad_amount", f"{text[:TEXT_MAX]!r} {NO_DECIMAL}")
    whole, fraction = parts
    if len(fraction) > allowed:
        raise AmountRefused(
            "too_many_digits", f"{asset.name} takes at most {allowed} digits after the point here"
        )
    raw = int(whole + fraction.ljust(asset.decimals, "0"))
    if raw == 0:
        raise AmountRefused("not_positive", "the amount must be above zero")
    if raw > MAX_AMOUNT:
        raise AmountRefused("overflow", f"at most {show(MAX_AMOUNT, asset)} {asset.name} fit")
    return raw


def split(text: str) -> tuple[str, str] | None:
    """Return the digits before and after the point of a decimal; None if it is none."""
    match = _DECIMAL.fullmatch(text) if len(text) <= TEXT_MAX else None
    return (match.group(1), match.group(2) or "") if match else None


def show(raw: int, asset: Asset) -> str:
    """Return the decimal of a raw integer, with all digits of the asset."""
    sign, raw = ("-", -raw) if raw < 0 else ("", raw)
    whole, fraction = divmod(raw, 10**asset.decimals)
    return f"{sign}{whole}.{fraction:0{asset.decimals}d}" if asset.decimals else f"{sign}{whole}"
