"""What a request changed, as it stands in the `effects` column of its row: one entry per row."""

import msgspec

from system.records import LedgerRow


class Effect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ledger row that a request caused, in raw integers."""

    event_type: str
    asset_id: int
    seq: int
    delta_avail: int
    delta_frozen: int
    avail: int
    frozen: int


def of(row: LedgerRow) -> Effect:
    """Return what a row says about its account."""
    return Effect(
        event_type=row.event_type,
        asset_id=row.asset_id,
        seq=row.seq,
        delta_avail=row.delta_avail,
        delta_frozen=row.delta_frozen,
        avail=row.avail,
        frozen=row.frozen,
    )


def encode(effects: tuple[Effect, ...]) -> str:
    """Return effects as the text of the column."""
    return _encode(effects).decode()


def decode(text: str | None) -> tuple[Effect, ...]:
    """Return the effects in a column; none if it is unset."""
    return _decode(text) if text else ()


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[Effect, ...]).decode
