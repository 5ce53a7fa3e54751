"""The tables as evidence: which are read, and in a simulated world what all replicas hold."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from reports.evidence import (
    AccountRow,
    OrderRow,
    OutputRow,
    Record,
    RequestRow,
    Row,
    SideRow,
    TradeRow,
)
from reports.shown import OBSERVED, columns

if TYPE_CHECKING:
    from scenarios.stages.town import Town
    from sim.scylla.cluster import Evidence

# what the evidence calls them -> table, and what a row of it is
TABLES: dict[str, tuple[str, type[Record]]] = {
    "rows": ("balance_ledger", Row),
    "requests": ("requests", RequestRow),
    "accounts": ("users_assets", AccountRow),
    "outputs": ("engine_output_log", OutputRow),
    "orders": ("orders_by_user", OrderRow),
    "trades": ("trades_by_symbol", TradeRow),
    "sides": ("trades_by_user", SideRow),
}
_KEY = 3  # no key of a table has more columns, and they come first


def in_order(rows: Iterable[Record]) -> tuple[Any, ...]:
    """Return rows by their key."""
    return tuple(sorted(rows, key=lambda row: msgspec.structs.astuple(row)[:_KEY]))


def gathered(town: "Town") -> dict[str, tuple[Any, ...]]:
    """Return the rows of every table, as a read of all replicas would show them."""
    return {name: in_order(_rows(town, *table)) for name, table in TABLES.items()}


def _rows(town: "Town", table: str, record: type[Record]) -> Iterable[Record]:
    names = columns(record)
    for row in town.scylla.rows(f"wavetank.{table}"):
        yield record(**{name: row.values[name] for name in names}, **_seen(row, record))


def _seen(row: "Evidence", record: type[Record]) -> dict[str, int | None]:
    """Return what nodes have shown of a row; several events write one of `requests`."""
    if record is RequestRow:
        since = {"durable_ns": "decision", "outcome_ns": "outcome", "expired_ns": "expired"}
        return {name: row.durable.get(column) for name, column in since.items()}
    return {name: getattr(row, name) for name in OBSERVED if name in record.__struct_fields__}
