"""How the gateway shows what stands in the tables: decimals instead of integers."""

from typing import Any

from system import effects, symbols
from system.assets import BY_ID, show
from system.database import Row
from system.effects import Effect
from system.symbols import Symbol

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


def order(row: Row) -> dict[str, Any]:
    """Return one order."""
    order_id, symbol_id, side, kind, lasting, price, quantity, status, ending, *rest = row
    filled, remaining, locked_asset_id, paid, unlocked, created_at = rest
    symbol, locked = symbols.BY_ID[symbol_id], BY_ID[locked_asset_id]
    return {
        "order_id": order_id,
        "symbol": symbol.name,
        "side": side,
        "type": kind,
        "time_in_force": lasting,
        "price": symbols.show_price(price, symbol),
        "quantity": show(quantity, symbol.base),
        "status": status,
        "ending": ending,
        "filled": show(filled, symbol.base),
        "remaining": show(remaining, symbol.base),
        "locked_asset": locked.name,
        "paid": show(paid, locked),
        "unlocked": show(unlocked, locked),
        "created_at": created_at,
    }


def trade(symbol: Symbol, row: Row) -> dict[str, Any]:
    """Return one trade, as everybody may see it."""
    trade_id, price, quantity, cost, taker_side, created_at = row
    return {
        "trade_id": trade_id,
        "price": symbols.show_price(price, symbol),
        "quantity": show(quantity, symbol.base),
        "cost": show(cost, symbol.quote),
        "taker_side": taker_side,
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
        body_hash, decision, reason, changed, outcome, _expired = decided
        answer["status"], answer["reason"] = _status(decision, reason, outcome)
        answer["body_hash"] = body_hash
        answer["effects"] = [_effect(effect) for effect in effects.decode(changed)]
    conflicts = [row for row in rows if row is not decided and row[2] == REUSED]
    if conflicts:
        answer["conflicts"] = [
            {"body_hash": row[0], "status": row[1], "reason": row[2]} for row in conflicts
        ]
    return answer


def _status(
    decision: str | None, reason: str | None, outcome: str | None
) -> tuple[str, str | None]:
    """Return status and reason; an accepted cancel is pending until the engine has answered it."""
    if decision is None:
        return "rejected", "expired"
    if decision != "accepted":
        return decision, reason
    if outcome is None:
        return "pending", None
    return ("done", None) if outcome == "done" else ("rejected", outcome)


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
