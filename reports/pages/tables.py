"""Tables of a judged run as data frames: what the CSV files hold and the HTML page shows.

Amounts are kept raw beside the decimals; sums may exceed 64 bits, so all columns are objects.
"""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from reports.amounts import asset_name, decimal, money, seconds
from reports.breaks import Break
from reports.case import Case
from reports.evidence import Operation
from reports.judge import Judgement
from reports.reconcile import Statement
from system.records import LedgerRow


def frame(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> pd.DataFrame:
    """Return a table of objects: sums may exceed 64 bits."""
    return pd.DataFrame([list(row) for row in rows], columns=list(columns), dtype=object)


def hops(statement: Statement) -> pd.DataFrame:
    """Return the control totals, one row per hop."""
    assets = statement.assets
    columns = ["hop", "effects", "copies", *map(asset_name, assets), "ranges"]
    columns += [f"{asset_name(asset)} raw" for asset in assets]
    return frame(
        columns,
        (
            [
                hop.name,
                hop.count,
                hop.copies,
                *(decimal(hop.sums.get(asset, 0), asset) for asset in assets),
                hop.ranges,
                *(hop.sums.get(asset, 0) for asset in assets),
            ]
            for hop in statement.hops
        ),
    )


def differences(statement: Statement) -> pd.DataFrame:
    """Return every part of every difference between hops, explained or not."""
    return frame(
        (
            *("from", "to", "code", "explained", "effects", "amount", "asset", "amount raw"),
            *("user", "request", "place", "at", "cause"),
        ),
        (
            [
                step.before,
                step.after,
                part.code,
                "yes" if part.explained else "NO",
                part.count,
                decimal(part.amount, part.asset_id, sign=True) if part.asset_id else "",
                asset_name(part.asset_id) if part.asset_id else "",
                part.amount,
                part.user_id,
                part.request_id,
                part.place,
                seconds(part.at_ns),
                part.cause,
            ]
            for step in statement.steps
            for part in step.differences
        ),
    )


def breaks(found: Iterable[Break]) -> pd.DataFrame:
    """Return the breaks, one row each."""
    return frame(
        (
            *("invariant", "code", "where", "expected", "found", "amount", "asset", "amount raw"),
            *("user", "request", "at", "age", "cause"),
        ),
        (
            [
                b.invariant,
                b.code,
                b.where,
                b.expected,
                b.found,
                decimal(b.amount, b.asset_id, sign=True) if b.amount else "",
                asset_name(b.asset_id) if b.asset_id else "",
                b.amount,
                b.user_id or "",
                b.request_id,
                seconds(b.at_ns) if b.at_ns is not None else "",
                seconds(b.age_ns) if b.age_ns is not None else "",
                b.cause,
            ]
            for b in found
        ),
    )


def kinds(found: Iterable[Break]) -> pd.DataFrame:
    """Return the breaks grouped by invariant and code, with the sum of their amounts."""
    groups: dict[tuple[str, str], list[Break]] = {}
    for b in found:
        groups.setdefault((b.invariant, b.code), []).append(b)
    return frame(
        ("invariant", "code", "how many", "amounts", "first", "cause"),
        (
            [invariant, code, len(group), _amounts(group), group[0].where, group[0].cause]
            for (invariant, code), group in groups.items()
        ),
    )


def _amounts(group: Iterable[Break]) -> str:
    sums: dict[int, int] = {}
    for b in group:
        sums[b.asset_id] = sums.get(b.asset_id, 0) + b.amount
    return ", ".join(money(total, a, sign=True) for a, total in sorted(sums.items()) if total)


def ledger(case: Case) -> pd.DataFrame:
    """Return the ledger rows; `chain` compares the balances with the sums of all changes."""
    table = frame(
        (
            *("user", "asset", "seq", "type", "delta avail", "delta frozen", "avail", "frozen"),
            *("chain", "durable", "request"),
            *("delta avail raw", "delta frozen raw", "avail raw", "frozen raw"),
        ),
        _ledger_rows(case),
    )
    return table.sort_values(["user", "asset", "seq"], kind="stable", ignore_index=True)


def _ledger_rows(case: Case) -> Iterable[Sequence[object]]:
    for (user_id, asset_id), rows in case.rows.items():
        avail = frozen = 0
        for row in rows:
            avail += row.delta_avail
            frozen += row.delta_frozen
            yield (
                user_id,
                asset_name(asset_id),
                row.seq,
                row.event_type,
                _change(row.delta_avail, asset_id),
                _change(row.delta_frozen, asset_id),
                decimal(row.avail, asset_id),
                decimal(row.frozen, asset_id),
                "ok" if (avail, frozen) == (row.avail, row.frozen) else "BROKEN",
                seconds(row.durable_ns),
                row.ref_id,
                *(row.delta_avail, row.delta_frozen, row.avail, row.frozen),
            )


def _change(delta: int, asset_id: int) -> str:
    return decimal(delta, asset_id, sign=True) if delta else ""


def operations(case: Case) -> pd.DataFrame:
    """Return the history of HTTP operations."""
    return frame(
        [
            "at",
            "took",
            "client",
            "operation",
            "user",
            "amount",
            "asset",
            "outcome",
            "attempts",
            "answers",
            "request",
        ],
        (
            [
                seconds(op.invoked_ns),
                _took(op),
                op.client,
                op.kind,
                op.user_id,
                decimal(op.amount, op.asset_id),
                asset_name(op.asset_id),
                op.outcome,
                len(op.attempts),
                " ".join(f"{a.status or 'none'} {a.reason}".strip() for a in op.attempts),
                op.request_id,
            ]
            for op in sorted(case.evidence.operations, key=lambda op: op.invoked_ns)
        ),
    )


def _took(op: Operation) -> str:
    ended = op.attempts[-1].returned_ns if op.attempts else None
    return seconds(ended - op.invoked_ns) if ended is not None else "-"


def decisions(case: Case) -> pd.DataFrame:
    """Return what the log decided, frame by frame."""
    return frame(
        [
            "LSN",
            "input",
            "decision",
            "reason",
            "user",
            "change",
            "asset",
            "avail",
            "seq",
            "n",
            "request",
        ],
        (
            [
                d.lsn,
                f"{d.frame.input.topic}/{d.frame.input.partition}@{d.frame.input.offset}",
                d.frame.decision,
                d.frame.reason or "",
                d.frame.user_id,
                *_legs(d.events),
                ", ".join(str(output.n) for output in d.frame.outputs),
                d.frame.request_id,
            ]
            for d in case.decisions
        ),
    )


def _legs(events: Sequence[object]) -> tuple[str, str, str, str]:
    rows = [event for event in events if isinstance(event, LedgerRow)]
    return (
        ", ".join(decimal(row.delta_avail, row.asset_id, sign=True) for row in rows),
        ", ".join(asset_name(row.asset_id) for row in rows),
        ", ".join(decimal(row.avail, row.asset_id) for row in rows),
        ", ".join(str(row.seq) for row in rows),
    )


def csv_files(judgement: Judgement) -> dict[str, bytes]:
    """Return all tables as CSV, by file name."""
    case = judgement.case
    return as_csv(
        {
            "hops": hops(judgement.statement),
            "differences": differences(judgement.statement),
            "breaks": breaks(judgement.breaks),
            "ledger": ledger(case),
            "operations": operations(case),
            "decisions": decisions(case),
        }
    )


def as_csv(found: Mapping[str, pd.DataFrame]) -> dict[str, bytes]:
    """Return tables as CSV, by file name."""
    return {
        f"{name}.csv": table.to_csv(index=False, lineterminator="\n").encode()
        for name, table in found.items()
    }
