"""The HTML page: one file, nothing fetched, light and dark, readable with scripts off."""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reports.amounts import asset_name, decimal, money, seconds
from reports.judge import Judgement
from reports.orders import lives
from reports.pages import curves, orders, tables, text, timeline
from reports.pages.damage import damages
from reports.reconcile import Statement, Step, conservation
from reports.reconcile.trading import HOPS
from system.records import FEE_USER

ROWS_SHOWN = 500
_LINES_SHOWN = 40
NUMBERS = frozenset(
    (
        *("effects", "copies", "amount", "user", "seq", "n", "LSN", "attempts", "change"),
        *("delta avail", "delta frozen", "avail", "frozen", "deposits", "withdrawals"),
        *(
            *("on its way", "owed to accounts", "effects in all"),
            "log",
            "events topic",
            "ledger",
            "at",
            "took",
            "age",
            "durable",
            *("changes", *HOPS),
            *("price", "quantity", "filled", "locked", "paid", "received", "fees", "released"),
            "how many",
        ),
    )
)
_KEYS = frozenset(("request", "input", "code"))
_WORDS = frozenset(
    ("client", "place", "operation", "decision", "symbol", "kind", "what", "became", "order")
)
_TEXTS = frozenset(("cause", "first", "where", "expected", "found", "place", "what happened"))
_HERE = Path(__file__).parent


class Shown:
    """A data frame as the page shows it: without raw columns, cut at a number of rows."""

    def __init__(self, frame: pd.DataFrame, file: str = "", without: str = "") -> None:
        left_out = without.split()
        self.names = [
            name
            for name in frame.columns
            if not str(name).endswith(" raw") and name not in left_out
        ]
        self.rows: list[tuple[Any, ...]] = list(
            frame[self.names].head(ROWS_SHOWN).itertuples(index=False, name=None)
        )
        self.hidden = max(len(frame) - ROWS_SHOWN, 0)
        self.file = file

    def style(self, index: int) -> str:
        """Return the class of a column's cells."""
        name = self.names[index]
        if name in _KEYS:
            return "key"
        if name in _TEXTS:
            return "cause" if name == "cause" else "text"
        if name in _WORDS:
            return "word"
        return "number" if name in NUMBERS else ""

    def bad(self, row: Sequence[object]) -> bool:
        """Whether a row shows something broken."""
        return not {"BROKEN", "NO", "differs"}.isdisjoint(map(str, row))


@cache
def environment() -> Environment:
    """Return the templates' environment; everything is escaped."""
    return Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def asset(name: str) -> str:
    """Return a file that is set into pages as it is."""
    return (_HERE / name).read_text("utf-8")


def page(judgement: Judgement, *, folder: str = "") -> str:
    """Return the report of a run as HTML."""
    case = judgement.case
    about = case.about
    commands = [command for _, command in text.commands(judgement, folder)]
    if folder:
        commands += [f"wavetank report {folder}", *_trace_money(judgement, folder)]
    found = lives(case)
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            about=about,
            judgement=judgement,
            word=text.SIGNS[judgement.verdict].partition(" ")[2],
            sign=text.SIGNS[judgement.verdict],
            facts=_facts(judgement),
            story=_story(judgement),
            assets=[asset_name(a) for a in judgement.statement.assets],
            hops=hop_rows(judgement.statement),
            numbers=NUMBERS,
            differences=Shown(
                tables.differences(judgement.statement),
                "csv/differences.csv",
                "from to effects user",
            ),
            breaks=Shown(tables.breaks(judgement.breaks), "csv/breaks.csv", "user request age"),
            kinds=Shown(tables.kinds(judgement.breaks)),
            conservation=Shown(_conserved(judgement)),
            timeline=timeline.draw(case),
            curves=curves.draw(case),
            faults=_faults(judgement),
            damages=damages(judgement),
            orders=Shown(orders.orders(found), "csv/orders.csv", "request decision id"),
            changes=Shown(orders.changes(judgement.statement.trading)),
            moments=Shown(orders.moments(found), "csv/order_lives.csv", "id"),
            ledger=Shown(tables.ledger(case), "csv/ledger.csv"),
            operations=Shown(tables.operations(case), "csv/operations.csv"),
            decisions=Shown(tables.decisions(case), "csv/decisions.csv"),
            log_notes=[f"Shard {j.shard}: {j.damage}" for j in case.journals if j.damage],
            lines=_lines(judgement),
            commands=commands,
            versions=", ".join(f"{name} {v}" for name, v in sorted(about.versions.items())),
            style=asset("style.css"),
            script=asset("report.js"),
        )
    )


def _trace_money(judgement: Judgement, folder: str) -> list[str]:
    """Return the command that traces an account: that of the first break, or the first one."""
    broken = [(b.user_id, b.asset_id) for b in judgement.breaks if b.user_id and b.asset_id]
    others = [account for account in sorted(judgement.case.rows) if account[0] != FEE_USER]
    accounts = (broken or others)[:1]
    command = f"wavetank trace-money {folder}"
    return [f"{command} --user {user} --asset {asset_name(a)}" for user, a in accounts]


def _facts(judgement: Judgement) -> list[tuple[str, object]]:
    about = judgement.case.about
    ends = [e for e in judgement.case.evidence.processes if e.kind in ("crashed", "power_lost")]
    audits = sum(e.at_ns >= judgement.case.audit_ns for e in ends)
    crashes = f"{len(ends) - audits}" + (f" and {audits} to audit recovery" if audits else "")
    faults = judgement.case.evidence.faults
    return [
        ("stage", f"{about.stage}, {about.servers}" if about.servers else about.stage),
        ("seed", about.seed),
        ("time" if about.servers else "world time", seconds(about.ended_ns)),
        ("settled", seconds(about.quiescent_ns) if about.quiescent_ns is not None else "never"),
        ("operations", len(judgement.case.asked)),
        ("faults that bit", f"{sum(bool(f.bites) for f in faults)} of {len(faults)}"),
        ("crashes", crashes),
        ("things checked", sum(check.checked for check in judgement.checks)),
        ("breaks", len(judgement.breaks)),
        ("token", about.token or "-"),
    ]


def _story(judgement: Judgement) -> list[tuple[str, str]]:
    return [(name.capitalize(), said.replace("\n", ": ")) for name, said in text.story(judgement)]


def hop_rows(statement: Statement) -> list[dict[str, object]]:
    """Return the hops as the page shows them, each with the step that leads to it."""
    most = {a: max(abs(h.sums.get(a, 0)) for h in statement.hops) for a in statement.assets}
    effects = max(hop.count for hop in statement.hops)
    steps: list[Step | None] = [None, *statement.steps]
    shown: list[dict[str, object]] = []
    for hop, step in zip(statement.hops, steps, strict=True):
        broken = _broken_assets(step)
        cells = [
            {
                "text": decimal(total := hop.sums.get(a, 0), a),
                "raw": total,
                "share": round(100 * abs(total) / most[a], 1) if most[a] else 0,
                "dropped": a in broken,
            }
            for a in statement.assets
        ]
        share = round(100 * hop.count / effects, 1) if effects else 0
        shown.append(
            {
                "name": hop.name,
                "ranges": hop.ranges,
                "copies": hop.copies or "",
                "count": {"text": hop.count, "share": share, "dropped": 0 in broken},
                "cells": cells,
                "step": None if step is None else {"bad": bool(broken), "chips": _chips(step)},
            }
        )
    return shown


def _broken_assets(step: Step | None) -> set[int]:
    """Return the assets whose sum is wrong after this step; 0 stands for the count."""
    if step is None:
        return set()
    parts = [part for part in step.differences if not part.explained]
    broken = {part.asset_id for part in parts} | set(step.unexplained)
    return broken | {0} if parts else broken


def _chips(step: Step) -> list[dict[str, object]]:
    """Sum up the parts of a difference by code."""
    groups: dict[tuple[bool, str], Counter[int]] = {}
    counts: Counter[tuple[bool, str]] = Counter()
    for part in step.differences:
        key = part.explained, part.code
        groups.setdefault(key, Counter())[part.asset_id] += part.amount
        counts[key] += part.parts
    chips: list[dict[str, object]] = []
    for key, sums in sorted(groups.items()):
        amounts = ", ".join(money(v, a, sign=True) for a, v in sorted(sums.items()) if v)
        word = f"{counts[key]} x {key[1].replace('_', ' ').lower()}"
        mark = "↓" if key[0] else "✗"
        chips.append({"bad": not key[0], "text": f"{mark} {word} {amounts}".strip()})
    for asset_id, amount in sorted(step.unexplained.items()):
        what = money(amount, asset_id, sign=True) if asset_id else f"{amount:+d} effects"
        chips.append({"bad": True, "text": f"✗ unexplained: {what}"})
    return chips


def _conserved(judgement: Judgement) -> pd.DataFrame:
    rows = conservation(judgement.case)
    sources = list(rows[0].holdings) if rows else []
    return pd.DataFrame(
        [
            [
                asset_name(row.asset_id),
                decimal(row.deposits, row.asset_id),
                decimal(row.withdrawals, row.asset_id),
                decimal(row.expected, row.asset_id),
                *(decimal(row.holdings[source], row.asset_id) for source in sources),
                "ok" if set(row.holdings.values()) <= {row.expected} else "BROKEN",
            ]
            for row in rows
        ],
        columns=["asset", "deposits", "withdrawals", "owed to accounts", *sources, "conserved"],
        dtype=object,
    )


def _faults(judgement: Judgement) -> list[dict[str, object]]:
    return [
        {
            "entered": seconds(fault.entered_ns),
            "left": seconds(fault.left_ns),
            "fault": fault.fault,
            "targets": ", ".join(fault.targets),
            "bit": bool(fault.bites),
            "effects": text.told(fault),
        }
        for fault in text.in_time(judgement.case.evidence.faults)
    ]


def _lines(judgement: Judgement) -> list[tuple[str, str]]:
    by_process: dict[str, list[str]] = {}
    for line in judgement.case.evidence.lines:
        label = f"{line.process}#{line.incarnation}"
        by_process.setdefault(label, []).append(line.text)
    return [(name, "\n".join(kept[-_LINES_SHOWN:])) for name, kept in by_process.items()]
