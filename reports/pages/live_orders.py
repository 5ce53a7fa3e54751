"""What orders moved in a reconciled deployment, as a table and for programs."""

from typing import Any

import pandas as pd

from reports.amounts import asset_name, decimal
from reports.live.orders.kinds import Line
from reports.pages import tables
from reports.pages.text import columns
from reports.reconcile.trading import HOPS


def state(line: Line) -> str:
    """Say whether all hops hold the same, or why they may not."""
    if line.wrong:
        return "differs"
    return "on its way" if any(count for count, _ in line.waiting) else "="


def orders_table(lines: tuple[Line, ...]) -> str:
    """Return one kind and asset a line, with its total at each hop; nothing without orders."""
    if not lines:
        return ""
    rows = [["orders", "changes", *HOPS, ""]]
    for line in lines:
        name = f"{line.kind} {asset_name(line.asset_id)}"
        totals = [decimal(total, line.asset_id) for total in line.sums]
        rows.append([name, str(line.counts[-1]), *totals, state(line)])
    return "\n".join(columns(rows))


def orders(lines: tuple[Line, ...]) -> pd.DataFrame:
    """Return the same as a table, with raw amounts beside the decimals."""
    return tables.frame(
        ("kind", "asset", "changes", *HOPS, *(f"{hop} raw" for hop in HOPS), "state"),
        (
            [
                line.kind,
                asset_name(line.asset_id),
                line.counts[-1],
                *(decimal(total, line.asset_id) for total in line.sums),
                *line.sums,
                state(line),
            ]
            for line in lines
        ),
    )


def orders_fields(lines: tuple[Line, ...]) -> list[dict[str, Any]]:
    """Return the same for programs; amounts are raw integers in text."""
    return [
        {
            "kind": line.kind,
            "asset": asset_name(line.asset_id),
            "state": state(line),
            "hops": [
                {"hop": hop, "changes": count, "sum": str(total)}
                for hop, count, total in zip(HOPS, line.counts, line.sums, strict=True)
            ],
            "on_its_way": [
                {"to": hop, "changes": count, "sum": str(total)}
                for hop, (count, total) in zip(HOPS[1:], line.waiting, strict=True)
            ],
        }
        for line in lines
    ]
