"""Tables about orders: one row for each, and one for each moment of its life."""

from collections.abc import Sequence

import pandas as pd

from reports.amounts import asset_name, decimal, seconds
from reports.orders import Life
from reports.pages.tables import as_csv, frame
from reports.reconcile.trading import HOPS, TradingStatement
from system.symbols import BY_ID, show_price

_SHORT = 8  # digits of an id that tell orders apart on a page


def orders(lives: Sequence[Life]) -> pd.DataFrame:
    """Return the orders, one row each."""
    return frame(
        (
            *("at", "order", "user", "symbol", "side", "kind", "price", "quantity", "filled"),
            *("became", "locked", "paid", "received", "fees", "released", "decision"),
            *("id", "request"),
        ),
        (_order(life) for life in lives),
    )


def changes(trading: TradingStatement | None) -> pd.DataFrame:
    """Return what orders moved, one kind and asset a row, with its total at each hop."""
    return frame(
        ("kind", "asset", "changes", *HOPS, "agrees", *(f"{hop} raw" for hop in HOPS)),
        (
            [
                line.kind,
                asset_name(line.asset_id),
                line.counts[-1],
                *(decimal(total, line.asset_id) for total in line.sums),
                line.mark("ok", "{} wait", "differs"),
                *line.sums,
            ]
            for line in (trading.lines if trading is not None else ())
        ),
    )


def moments(lives: Sequence[Life]) -> pd.DataFrame:
    """Return what happened to each order, one row a moment."""
    return frame(
        ("order", "at", "what", "place", "what happened", "id"),
        (
            [life.command.order_id[:_SHORT], seconds(m.at_ns), *m[1:4], life.command.order_id]
            for life in lives
            for m in life.moments
        ),
    )


def csv_files(lives: Sequence[Life], trading: TradingStatement | None = None) -> dict[str, bytes]:
    """Return all tables as CSV, by file name; none of a run without orders."""
    if not lives:
        return {}
    tables = {"orders": orders(lives), "order_lives": moments(lives)}
    return as_csv({**tables, "order_changes": changes(trading)})


def _order(life: Life) -> list[object]:
    command, last = life.command, life.last
    symbol = BY_ID.get(command.symbol_id)
    first = life.moments[0].at_ns if life.moments else None
    if symbol is None:
        pay = get = base = 0
    else:
        base = symbol.base.id
        pay, get = (symbol.quote.id, base) if command.side == "buy" else (base, symbol.quote.id)
    name = str(command.symbol_id) if symbol is None else symbol.name
    return [
        seconds(first),
        command.order_id[:_SHORT],
        command.user_id,
        name,
        command.side,
        f"{command.kind} {command.time_in_force}",
        str(command.price) if symbol is None else show_price(command.price, symbol),
        decimal(command.quantity, base),
        decimal(last.filled, base) if last is not None else "",
        life.status,
        _amount(life.locked, pay),
        _amount(last.paid if last is not None else 0, pay),
        _amount(life.received, get),
        _amount(life.fees, get),
        _amount(last.unlocked if last is not None else 0, pay),
        life.decision,
        command.order_id,
        command.request_id,
    ]


def _amount(raw: int, asset_id: int) -> str:
    return f"{decimal(raw, asset_id)} {asset_name(asset_id)}" if raw else ""
