"""The text page: one screen. What was promised, what happened, where the money went."""

from collections import Counter
from collections.abc import Iterable

from reports.amounts import asset_name, decimal, money, seconds
from reports.breaks import Break
from reports.evidence import FaultReceipt, Operation
from reports.judge import Judgement
from reports.reconcile import Statement, Step, TradingStatement
from reports.reconcile.statement import Difference
from reports.reconcile.trading import HOPS

SIGNS = {"held": "✓ HELD", "broken": "✗ BROKEN", "unknown": "? UNKNOWN"}
_KINDS_SHOWN = 6
_FAULTS_SHOWN = 6


def summary(judgement: Judgement, *, folder: str = "") -> str:
    """Return the page. ``folder`` is where the run is kept, for the commands at its end."""
    parts = [_headline(judgement)]
    if judgement.verdict == "broken":
        told = [f"  {name:<10}{_indented(said)}" for name, said in story(judgement)]
        parts.append("\n".join(told))
    parts.append(hops_table(judgement.statement))
    if judgement.statement.trading is not None:
        parts.append(trading_table(judgement.statement.trading))
    if judgement.breaks:
        parts.append(kinds_table(judgement.breaks))
    if judgement.verdict == "unknown":
        parts.append("\n".join(["not known:", *(f"  {why}" for why in judgement.unknown)]))
    if judgement.excused:
        parts.append("\n".join(["owed halts:", *(f"  {text}" for text in judgement.excused)]))
    parts += [_faults(judgement), _commands(judgement, folder)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _indented(said: str) -> str:
    return said.replace("\n", "\n            ")


def _headline(judgement: Judgement) -> str:
    about = judgement.case.about
    checked = sum(check.checked for check in judgement.checks)
    clock = "world" if about.stage == "simulated" else "real"
    given = ", a plan of its own" if about.plan_given else ""
    title = f"{about.scenario}, seed {about.seed}{given} ({about.stage})"
    lines = [f"{SIGNS[judgement.verdict]}  {title}"]
    if about.servers:
        lines.append(f"  on {about.servers}")
    if about.story:
        lines.append(f"  {about.story.splitlines()[0]}")
    lines.append(
        f"  {len(judgement.case.asked)} operations in {seconds(about.ended_ns)} of {clock} time,"
        f" {checked} things checked against {len(judgement.checks)} promises"
        + (f", digest {about.digest[:12]}" if about.digest else "")
    )
    return "\n".join(lines)


def main_break(judgement: Judgement) -> Break:
    """Return the break that tells the story best: a lost promise, or else the first of all."""
    told = [b for b in judgement.breaks if b.invariant in ("I3", "I4") and b.request_id]
    return (told or list(judgement.breaks))[0]


def promised(judgement: Judgement) -> Operation | None:
    """Return the operation that the main break is about."""
    request_id = main_break(judgement).request_id
    found = (op for op in judgement.case.asked if request_id and op.request_id == request_id)
    return next(found, None)


def story(judgement: Judgement) -> list[tuple[str, str]]:
    """Return what was promised, what came of it, and why; each part with its name."""
    if not judgement.breaks:
        return []
    broken = main_break(judgement)
    owed = next(c.promise for c in judgement.checks if c.invariant == broken.invariant)
    op = promised(judgement)
    parts = [
        ("promised", "" if op is None else _promise(op)),
        ("owed", f"{broken.invariant}: {owed}"),
        ("but", "\n".join(part for part in (broken.where, _found(broken)) if part)),
        ("because", broken.cause or "not known"),
        ("money", where_it_went(judgement)),
    ]
    return [(name, said) for name, said in parts if said]


def _promise(op: Operation) -> str:
    what = f"{op.kind} {op.request_id}, user {op.user_id}{_asked_for(op)}"
    if op.acknowledged_ns is not None:
        return f"{what}, acknowledged with {op.status} at {seconds(op.acknowledged_ns)}"
    return f"{what}, {op.outcome} ({op.status or 'no answer'})"


def _asked_for(op: Operation) -> str:
    if op.kind == "cancel":
        return ""
    if op.kind == "place_order":
        return f", locks {money(op.amount, op.asset_id)}"
    sign = -1 if op.kind == "transfer_out" else 1
    return f", {money(sign * op.amount, op.asset_id, sign=True)}"


def _found(broken: Break) -> str:
    if broken.expected or broken.found:
        return f"expected {broken.expected or 'nothing'}, found {broken.found or 'nothing'}"
    return f"{money(broken.amount, broken.asset_id, sign=True)}" if broken.amount else ""


def where_it_went(judgement: Judgement) -> str:
    """Say at which hop how much of which asset went missing or came from nowhere."""
    sentences = []
    for step in judgement.statement.steps:
        parts = [part for part in step.differences if not part.explained]
        if not parts:
            continue
        sums: dict[int, int] = {}
        for part in parts:
            sums[part.asset_id] = sums.get(part.asset_id, 0) + part.amount
        amounts = ", ".join(money(a, asset, sign=True) for asset, a in sorted(sums.items()) if a)
        word = "effect" if len(parts) == 1 else "effects"
        sentences.append(
            f"{step.before} -> {step.after}: {len(parts)} {word}"
            f" {', '.join(sorted({part.code for part in parts}))}"
            + (f": {amounts}" if amounts else "")
        )
    return "\n".join(sentences)


def hops_table(statement: Statement) -> str:
    """Return the hops with their control totals, one a line."""
    assets = statement.assets
    table = [["hop", "effects", "copies", *map(asset_name, assets), ""]]
    steps: list[Step | None] = [None, *statement.steps]
    for hop, step in zip(statement.hops, steps, strict=True):
        totals = [decimal(hop.sums.get(asset, 0), asset) for asset in assets]
        table.append([hop.name, str(hop.count), str(hop.copies), *totals, _mark(step)])
    return "\n".join(columns(table))


def trading_table(trading: TradingStatement) -> str:
    """Return what orders moved, one kind and asset a line, with its total at each hop."""
    table = [["orders", "changes", *HOPS, ""]]
    for line in trading.lines:
        totals = [decimal(total, line.asset_id) for total in line.sums]
        name = f"{line.kind} {asset_name(line.asset_id)}"
        mark = line.mark("=", "= but {} wait", "✗")
        table.append([name, str(line.counts[-1]), *totals, mark])
    return "\n".join(columns(table))


def _mark(step: Step | None) -> str:
    if step is None:
        return ""
    parts = [part for part in step.differences if not part.explained]
    if parts or step.unexplained:
        return f"✗ {_counted(parts)}" + (" + UNEXPLAINED" if step.unexplained else "")
    named = _counted(step.differences).lower()
    return f"= but {named}" if named else "="


def _counted(parts: Iterable[Difference]) -> str:
    counts: Counter[str] = Counter()
    for part in parts:
        counts[part.code] += part.parts
    return ", ".join(f"{count} {code}" for code, count in sorted(counts.items()))


def columns(table: list[list[str]]) -> list[str]:
    """Return a table's lines: the first and the last column to the left, numbers to the right."""
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    return [
        "  "
        + "  ".join(
            cell.ljust(width) if i in (0, len(row) - 1) else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]


def kinds(found: tuple[Break, ...]) -> list[tuple[str, str, list[Break]]]:
    """Group breaks by invariant and code, in order of first appearance."""
    groups: dict[tuple[str, str], list[Break]] = {}
    for b in found:
        groups.setdefault((b.invariant, b.code), []).append(b)
    return [(invariant, code, group) for (invariant, code), group in groups.items()]


def kinds_table(found: tuple[Break, ...]) -> str:
    """Return how many breaks there are of each kind, and the first of each."""
    groups = kinds(found)
    of = f" of {len(groups)} kinds" if len(groups) > 1 else ""
    lines = [f"  {len(found)} break{'s' if len(found) > 1 else ''}{of}"]
    for invariant, code, group in groups[:_KINDS_SHOWN]:
        lines.append(f"    {invariant:<4}{code:<22}{len(group):>4} x  first: {group[0].where[:90]}")
    if len(groups) > _KINDS_SHOWN:
        lines.append(f"    and {len(groups) - _KINDS_SHOWN} more kinds, all in the report")
    return "\n".join(lines)


def _faults(judgement: Judgement) -> str:
    faults = judgement.case.evidence.faults
    if not faults:
        return "  faults    none were planned"
    bitten = [fault for fault in faults if fault.bites]
    untested = sum(bool(fault.untested) for fault in faults)
    counts = f"{len(faults)} planned, {len(bitten)} bit"
    lines = [f"  faults    {counts}" + (f", {untested} not tested" if untested else "")]
    for fault in sorted(in_time(faults), key=lambda f: not f.bites)[:_FAULTS_SHOWN]:
        when = seconds(fault.entered_ns) if fault.entered_ns is not None else "never"
        lines.append(f"    {when:>10}  {fault.fault}  {told(fault)}")
        lines += [
            f"                {d.length} {d.kind} bytes in {d.file} at offset {d.offset}"
            for d in fault.damage
        ]
    if len(faults) > _FAULTS_SHOWN:
        lines.append(f"    and {len(faults) - _FAULTS_SHOWN} more, all in the report")
    return "\n".join(lines)


def in_time(faults: Iterable[FaultReceipt]) -> list[FaultReceipt]:
    """Return faults in the order in which they were injected, those that never were last."""
    return sorted(faults, key=lambda f: (f.entered_ns is None, f.entered_ns or 0))


def told(fault: FaultReceipt) -> str:
    """Say what a fault did."""
    if fault.untested:
        return f"not tested: {fault.untested}"
    effects = ", ".join(f"{name}: {value}" for name, value in fault.effects.items())
    return effects if fault.bites else "bit nothing"


def commands(judgement: Judgement, folder: str) -> list[tuple[str, str]]:
    """Return the commands that make a run again, each with what it is for.

    A plan that was given stands in the run's folder, and in its token.
    """
    about = judgement.case.about
    plan = f" --plan {folder}" if about.plan_given else ""
    found = []
    if about.command and (folder or not plan):
        found.append(("again", f"{about.command}{plan}"))
    if about.stage == "real" and (folder or not plan):
        found.append(("simulate", f"wavetank run {about.scenario} --seed {about.seed}{plan}"))
    elif about.token and about.stage != "real":
        found.append(("replay", f"wavetank replay '{about.token}'"))
        if folder and judgement.verdict == "broken" and len(judgement.case.evidence.faults) > 1:
            found.append(("shrink", f"wavetank shrink {folder}"))
    return found


def _commands(judgement: Judgement, folder: str) -> str:
    lines = [f"  {what:<10}{command}" for what, command in commands(judgement, folder)]
    if folder:
        lines.append(f"  look      {folder}/report.html")
    return "\n".join(lines)
