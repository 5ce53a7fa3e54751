"""A reconciled deployment for people and programs: text, JSON, CSV and one HTML page."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
import pandas as pd

from reports.amounts import asset_name, decimal, money, seconds
from reports.breaks import Break
from reports.live.outcome import Outcome
from reports.pages import tables
from reports.pages.formats import FORMAT, amount_fields, checks_fields, statement_fields
from reports.pages.html import NUMBERS, Shown, asset, environment, hop_rows
from reports.pages.live_orders import orders, orders_fields, orders_table
from reports.pages.text import SIGNS, columns, hops_table, kinds_table
from reports.reconcile import Statement

_BREAKS_SHOWN = 10


def clock(milliseconds: int) -> str:
    """Return a time of the wall clock as UTC: ``2026-11-25 20:15:01 UTC``."""
    moment = dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def _with_orders(outcome: Outcome) -> Statement:
    """Return the statement with the steps that only orders take."""
    return msgspec.structs.replace(outcome.statement, steps=outcome.steps)


def _age(outcome: Outcome, at_ms: int | None) -> str:
    return "-" if at_ms is None else f"{max(outcome.cut.at_ms - at_ms, 0) / 1000:.1f} s"


def _amounts(sums: dict[int, int]) -> str:
    return ", ".join(money(total, a, sign=True) for a, total in sorted(sums.items()) if total)


# -- text ----------------------------------------------------------------------------------------


def summary(outcome: Outcome, name: str) -> str:
    """Return the page as text; ``name`` says which deployment it is about."""
    read = ", ".join(f"{count:,} {what}" for what, count in outcome.reads.items())
    parts = [
        f"{SIGNS[outcome.verdict]}  {name} as of {clock(outcome.cut.at_ms)}\n  read {read}",
        hops_table(outcome.statement),
        orders_table(outcome.trading),
        _on_its_way(outcome),
        _conserved(outcome),
    ]
    if outcome.breaks:
        first = "\n".join(f"    {_told(broken)}" for broken in outcome.breaks[:_BREAKS_SHOWN])
        more = len(outcome.breaks) - _BREAKS_SHOWN
        rest = f"\n    and {more} more: --html, --csv and --json list them all" if more > 0 else ""
        parts.append(f"{kinds_table(outcome.breaks)}\n\n{first}{rest}")
    parts.append("\n".join(_waived(outcome)))
    parts.append("\n".join(f"  not known: {why}" for why in outcome.unknown))
    parts.append("\n".join(f"  note: {text}" for text in outcome.notes))
    return "\n\n".join(part for part in parts if part) + "\n"


def _told(broken: Break) -> str:
    """Write a break; its time counts from the cut, and is nearly always before it."""
    if broken.at_ns is None or broken.at_ns >= 0:
        return str(broken)
    return f"{msgspec.structs.replace(broken, at_ns=None)}; {seconds(-broken.at_ns)} before the cut"


def _on_its_way(outcome: Outcome) -> str:
    table = [["on its way", "effects", "oldest", "amounts"]]
    for step, flight in zip(outcome.steps, outcome.flights, strict=True):
        way = f"{step.before} -> {step.after}"
        oldest = _age(outcome, flight.oldest_ms)
        table.append([way, str(flight.count), oldest, _amounts(flight.sums) or "-"])
    return "\n".join(columns(table))


def _conserved(outcome: Outcome) -> str:
    found = Shown(conservation(outcome))
    rows = [[str(cell) for cell in row] for row in found.rows]
    return "\n".join(columns([list(map(str, found.names)), *rows])) if rows else ""


def _waived(outcome: Outcome) -> list[str]:
    waived = outcome.waived
    lines = [f"  waived: {_told(b)}\n          by {waiver}" for b, waiver in waived.breaks]
    for waiver, count in waived.expired:
        what = f"{count} breaks count again" if count else "nothing matches it any more"
        lines.append(f"  expired waiver: {waiver}; {what}: renew or remove it")
    lines += [f"  unused waiver: {waiver}; remove it" for waiver in waived.unused]
    return lines


# -- tables --------------------------------------------------------------------------------------


def conservation(outcome: Outcome) -> pd.DataFrame:
    """Return per asset what came in, went out and is held."""
    return tables.frame(
        (
            *("asset", "deposits", "withdrawals", "on its way", "owed to accounts"),
            *("ledger", "conserved", "deposits raw", "withdrawals raw", "on its way raw"),
            *("owed to accounts raw", "ledger raw"),
        ),
        (
            [
                asset_name(balance.asset_id),
                decimal(balance.deposits, balance.asset_id),
                decimal(balance.withdrawals, balance.asset_id),
                decimal(balance.on_its_way, balance.asset_id),
                decimal(balance.owed, balance.asset_id),
                decimal(balance.held, balance.asset_id),
                "ok" if balance.held == balance.owed else "BROKEN",
                *(balance.deposits, balance.withdrawals, balance.on_its_way),
                *(balance.owed, balance.held),
            ]
            for balance in outcome.balances
        ),
    )


def flights(outcome: Outcome) -> pd.DataFrame:
    """Return what was on its way, one row per step and asset."""
    return tables.frame(
        ("from", "to", "effects in all", "amount", "asset", "amount raw", "oldest"),
        (
            [
                step.before,
                step.after,
                flight.count,
                decimal(amount, asset_id, sign=True) if asset_id else "",
                asset_name(asset_id) if asset_id else "",
                amount,
                _age(outcome, flight.oldest_ms),
            ]
            for step, flight in zip(outcome.steps, outcome.flights, strict=True)
            for asset_id, amount in sorted(flight.sums.items()) or [(0, 0)]
            if flight.count or amount
        ),
    )


def waivers(outcome: Outcome) -> pd.DataFrame:
    """Return waived breaks, and waivers that are of no use any more."""
    waived = outcome.waived
    rows: list[Sequence[object]] = [
        ["waived", w.code, b.where, w.owner, w.reason, str(w.expires)] for b, w in waived.breaks
    ]
    late = [("expired", w) for w, _ in waived.expired] + [("unused", w) for w in waived.unused]
    rows += [[word, w.code, w.key, w.owner, w.reason, str(w.expires)] for word, w in late]
    return tables.frame(("state", "code", "where", "owner", "reason", "expires"), rows)


def csv_files(outcome: Outcome) -> dict[str, bytes]:
    """Return all tables as CSV, by file name."""
    return tables.as_csv(
        {
            "hops": tables.hops(outcome.statement),
            "orders": orders(outcome.trading),
            "differences": tables.differences(_with_orders(outcome)),
            "in_flight": flights(outcome),
            "conservation": conservation(outcome),
            "breaks": tables.breaks(outcome.breaks),
            "waivers": waivers(outcome),
        }
    )


# -- for programs --------------------------------------------------------------------------------


def as_json(outcome: Outcome, name: str) -> bytes:
    """Return everything; amounts are raw integers in text."""
    waived = outcome.waived
    content: dict[str, Any] = {
        "format": FORMAT,
        "verdict": outcome.verdict,
        "deployment": name,
        "cut": {
            "at": clock(outcome.cut.at_ms),
            "at_ms": outcome.cut.at_ms,
            "operations": {str(p): span.high for p, span in outcome.cut.operations.items()},
            "events": {str(p): span.high for p, span in outcome.cut.events.items()},
            "settled": {str(p): outcome.cut.settled_offset(p) for p in outcome.cut.events},
            "orders": {str(p): span.high for p, span in outcome.cut.orders.items()},
            "outputs": {str(p): span.high for p, span in outcome.cut.outputs.items()},
            "settled_outputs": {
                str(p): outcome.cut.settled_outputs_offset(p) for p in outcome.cut.outputs
            },
        },
        "read": outcome.reads,
        "unknown": outcome.unknown,
        "notes": outcome.notes,
        "checks": checks_fields(outcome.checks),
        **statement_fields(_with_orders(outcome)),
        "orders": orders_fields(outcome.trading),
        "in_flight": [
            {
                "from": step.before,
                "to": step.after,
                "effects": flight.count,
                "sums": {asset_name(a): str(total) for a, total in sorted(flight.sums.items())},
                "oldest_age_ms": _age_ms(outcome, flight.oldest_ms),
            }
            for step, flight in zip(outcome.steps, outcome.flights, strict=True)
        ],
        "conservation": [
            {
                "asset": asset_name(b.asset_id),
                **{k: str(v) for k, v in msgspec.structs.asdict(b).items() if k != "asset_id"},
                "owed": str(b.owed),
            }
            for b in outcome.balances
        ],
        "breaks": [amount_fields(broken) for broken in outcome.breaks],
        "waived": [{"waiver": w, **amount_fields(b)} for b, w in waived.breaks],
        "expired_waivers": [{"waiver": w, "breaks": count} for w, count in waived.expired],
        "unused_waivers": waived.unused,
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"


def _age_ms(outcome: Outcome, at_ms: int | None) -> int | None:
    return None if at_ms is None else outcome.cut.at_ms - at_ms


# -- HTML ----------------------------------------------------------------------------------------


def page(outcome: Outcome, name: str) -> str:
    """Return the page of a reconciled deployment: one file, nothing fetched."""
    differences = tables.differences(_with_orders(outcome))
    return (
        environment()
        .get_template("live.html.j2")
        .render(
            outcome=outcome,
            name=name,
            at=clock(outcome.cut.at_ms),
            word=SIGNS[outcome.verdict].partition(" ")[2],
            sign=SIGNS[outcome.verdict],
            facts=_facts(outcome),
            assets=[asset_name(a) for a in outcome.assets],
            hops=hop_rows(outcome.statement),
            numbers=NUMBERS,
            orders=Shown(orders(outcome.trading)),
            flights=Shown(flights(outcome)),
            differences=Shown(differences, "differences.csv", "from to effects user"),
            breaks=Shown(tables.breaks(outcome.breaks), "breaks.csv", "user request at"),
            kinds=Shown(tables.kinds(outcome.breaks)),
            conservation=Shown(conservation(outcome)),
            waivers=Shown(waivers(outcome)),
            style=asset("style.css"),
            script=asset("report.js"),
        )
    )


def _facts(outcome: Outcome) -> list[tuple[str, object]]:
    waiting = sum(flight.count for flight in outcome.flights)
    oldest = [flight.oldest_ms for flight in outcome.flights if flight.oldest_ms is not None]
    return [
        ("cut", clock(outcome.cut.at_ms)),
        *((what, f"{count:,}") for what, count in outcome.reads.items()),
        ("on their way", f"{waiting:,}"),
        ("oldest of them", _age(outcome, min(oldest, default=None))),
        ("allowed age", f"{outcome.bounds.max_age_ms / 1000:g} s"),
        ("breaks", len(outcome.breaks)),
        ("waived", len(outcome.waived.breaks)),
    ]
