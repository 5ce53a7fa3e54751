"""How amounts and times are written for people: decimals with the asset's name, seconds."""

from system.assets import BY_ID, show


def asset_name(asset_id: int) -> str:
    """Return the name of an asset, or its number if nobody knows it."""
    asset = BY_ID.get(asset_id)
    return asset.name if asset is not None else f"asset {asset_id}"


def decimal(raw: int, asset_id: int, *, sign: bool = False) -> str:
    """Return a raw amount as a decimal, grouped by thousands: ``1,000,000.00000000``."""
    asset = BY_ID.get(asset_id)
    text = show(abs(raw), asset) if asset is not None else str(abs(raw))
    whole, point, fraction = text.partition(".")
    grouped = f"{int(whole):,}{point}{fraction}"
    if raw < 0:
        return f"-{grouped}"
    return f"+{grouped}" if sign and raw > 0 else grouped


def money(raw: int, asset_id: int, *, sign: bool = False) -> str:
    """Return a raw amount with the name of its asset: ``10,000.00000000 BTC``."""
    return f"{decimal(raw, asset_id, sign=sign)} {asset_name(asset_id)}"


def seconds(ns: int | None) -> str:
    """Return a time since the start of the world: ``12.431 s``, ``-`` if there is none."""
    if ns is None:
        return "-"
    milliseconds = (abs(ns) + 500_000) // 1_000_000
    sign = "-" if ns < 0 else ""
    return f"{sign}{milliseconds // 1000}.{milliseconds % 1000:03d} s"
