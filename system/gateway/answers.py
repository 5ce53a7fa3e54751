"""How the gateway shows what stands in the tables: decimals instead of integers."""

from typing import Any

from system import effects
from system.assets import BY_ID, show
from system.database import Row
from system.effects import Effect

REUSED = "request_id_reused"


def balance(asset_id: int, newest: Row) -> dict[str, Any]:
    """Return an account's balance: its newest row's."""
    asset = BY_ID[asset_id]
    return {
        "asset": asset.name,
        "avail": show(newest[3], asset),
        "frozen": show(newest[4], asset),
        "seq": newest[0],
    }


def entry(asset_id: int, row: Row) -> dict[str, Any]:
    """Return one ledger row."""
    asset = BY_ID[asset_id]
    seq, delta_avail, delta_frozen, avail, frozen, event_type, ref_id, created_at = row
    return {
        "seq": seq,
        "event_type": event_type,
        "delta_avail": show(delta_avail, asset),
        "delta_frozen": show(delta_frozen, asset),
        "avail": show(avail, asset),
        "frozen": show(frozen, asset),
        "ref_id": ref_id,
        "created_at": created_at,
    }


def winner(rows: list[Row]) -> Row | None:
    """Return the row of the body that came first, if it is decided."""
    return next((row for row in rows if row[1] is not None and row[2] != REUSED), None)


def request(request_id: str, rows: list[Row]) -> dict[str, Any]:
    """Return what became of a request key; bodies that came too late stand under `conflicts`.

    The answer is the decision if there is one, and `expired` only if there is none.
    """
    decided = winner(rows) or next((row for row in rows if row[5]), None)
    answer: dict[str, Any] = {"request_id": request_id, "status": "pending"}
    if decided is not None:
        body_hash, decision, reason, changed, _outcome, _expired = decided
        answer["status"] = decision or "rejected"
        answer["body_hash"] = body_hash
        answer["reason"] = reason if decision else "expired"
        answer["effects"] = [_effect(effect) for effect in effects.decode(changed)]
    conflicts = [row for row in rows if row is not decided and row[2] == REUSED]
    if conflicts:
        answer["conflicts"] = [
            {"body_hash": row[0], "status": row[1], "reason": row[2]} for row in conflicts
        ]
    return answer


def _effect(effect: Effect) -> dict[str, Any]:
    asset = BY_ID[effect.asset_id]
    return {
        "event_type": effect.event_type,
        "asset": asset.name,
        "seq": effect.seq,
        "delta_avail": show(effect.delta_avail, asset),
        "delta_frozen": show(effect.delta_frozen, asset),
        "avail": show(effect.avail, asset),
        "frozen": show(effect.frozen, asset),
    }
