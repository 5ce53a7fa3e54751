"""Trace of money: everything that moved one account, in order of time, and where it went astray.

Per change of the account (its ``seq``): the frame that made it, the messages that carried it, the
row it became; before it what asked for it. A change that is missing at a hop, or that a hop has
and the one before it never had, is named with its moment.

Each place stamps with a clock of its own, and those differ by more than a message takes: what
followed from something is listed below it, whatever the stamps say.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from reports.amounts import decimal, seconds
from reports.breaks import Break
from reports.fills import moves
from reports.journal import Account, say_balance
from reports.judge import Judgement
from reports.naming import account_name
from reports.traffic import place_of
from system.records import LedgerRow


class Moment(NamedTuple):
    """Something that asked for a change of the account, or is one, at one place.

    `after` is the place of what it followed from, if that is known.
    """

    at_ns: int | None
    what: str
    place: str
    seq: int
    delta_avail: int
    delta_frozen: int
    text: str
    after: str = ""


def trace(judgement: Judgement, account: Account) -> list[Moment]:
    """Return every frame, message and row that moved an account: causes first, then by time."""
    logged = list(_logged(judgement, account))
    frames = {moment.seq: moment.place for moment in logged}
    found = [*_asked(judgement, account), *logged]
    found += [*_published(judgement, account, frames), *_settled(judgement, account, frames)]
    at = {moment.place: moment for moment in found}

    def turn(moment: Moment) -> tuple[bool, int, int]:
        cause = at.get(moment.after)
        if cause is None:
            return moment.at_ns is None, moment.at_ns or 0, 0
        _, earliest, depth = turn(cause)
        return moment.at_ns is None, max(moment.at_ns or 0, earliest), depth + 1

    return sorted(found, key=turn)


def _asked(judgement: Judgement, account: Account) -> Iterator[Moment]:
    case = judgement.case
    for source in case.inputs:
        if (source.command.user_id, source.asset_id) == account:
            record = source.record
            kind = type(source.command).__name__
            text = f"{kind} {source.key[1]}"
            yield Moment(source.at_ns, "message", place_of(record), 0, 0, 0, text)
    for emitted in case.emitted:
        for move in moves(emitted.output):
            if (move.user_id, move.asset_id) == account:
                text = f"{move.event_type} of {move.ref_id}"
                changes = move.delta_avail, move.delta_frozen
                yield Moment(emitted.at_ns, "message", emitted.place, 0, *changes, text)


def _logged(judgement: Judgement, account: Account) -> Iterator[Moment]:
    case = judgement.case
    epoch_ms = case.about.epoch_ns // 1_000_000
    for step in case.steps:
        at_ns = (step.frame.created_at - epoch_ms) * 1_000_000
        for leg in step.frame.legs:
            if (leg.user_id, leg.asset_id) == account:
                after = say_balance((leg.avail, leg.frozen, leg.seq), account[1])
                changes = leg.delta_avail, leg.delta_frozen
                text = f"{leg.event_type}: {after}"
                place = f"shard {step.shard} {step.place}"
                source = place_of(step.frame.input)
                yield Moment(at_ns, "frame", place, leg.seq, *changes, text, source)


def _published(
    judgement: Judgement, account: Account, frames: Mapping[int, str]
) -> Iterator[Moment]:
    for published in judgement.case.published:
        event = published.event
        if isinstance(event, LedgerRow) and (event.user_id, event.asset_id) == account:
            changes = event.delta_avail, event.delta_frozen
            text = f"{event.event_type} of {event.ref_id}"
            after = frames.get(event.seq, "")
            yield Moment(
                published.at_ns, "message", published.place, event.seq, *changes, text, after
            )


def _settled(judgement: Judgement, account: Account, frames: Mapping[int, str]) -> Iterator[Moment]:
    for row in judgement.case.rows.get(account, ()):
        changes = row.delta_avail, row.delta_frozen
        text = f"{row.event_type} of {row.ref_id}"
        place, after = f"balance_ledger seq {row.seq}", frames.get(row.seq, "")
        yield Moment(row.durable_ns, "row", place, row.seq, *changes, text, after)


def breaks_of(judgement: Judgement, account: Account) -> list[Break]:
    """Return the breaks about an account, by time: the first is where money was lost or minted."""
    found = [b for b in judgement.breaks if (b.user_id, b.asset_id) == account]
    return sorted(found, key=lambda b: (b.at_ns is None, b.at_ns or 0))


def page(judgement: Judgement, account: Account) -> str:
    """Return the trace as text."""
    about, asset = judgement.case.about, account[1]
    lines = [f"{account_name(account)} in {about.scenario}, seed {about.seed} ({about.stage})", ""]
    moments = trace(judgement, account)
    if moments:
        heads = f"{'seq':<8}{'available':>20}{'frozen':>20}"
        lines.append(f"  {'at':>10}  {'':<8}{heads}  where, and what it says")
    for moment in moments:
        seq = f"seq {moment.seq}" if moment.seq else ""
        avail = decimal(moment.delta_avail, asset, sign=True) if moment.delta_avail else ""
        frozen = decimal(moment.delta_frozen, asset, sign=True) if moment.delta_frozen else ""
        lines.append(
            f"  {seconds(moment.at_ns):>10}  {moment.what:<8}{seq:<8}{avail:>20}{frozen:>20}"
            f"  {moment.place}: {moment.text}"
        )
    if not moments:
        lines.append("  nothing moved this account")
    lines += ["", *_verdict(judgement, account)]
    return "\n".join(lines)


def _verdict(judgement: Judgement, account: Account) -> list[str]:
    found = breaks_of(judgement, account)
    if not found:
        return ["  no break is about this account"]
    told = [f"  {b}" for b in found]
    moved = next((b for b in found if b.amount), None)
    if moved is not None:
        verb = "minted" if moved.amount > 0 else "lost"
        when = seconds(moved.at_ns) if moved.at_ns is not None else "at a time that nobody saw"
        amount = decimal(abs(moved.amount), account[1])
        told.insert(0, f"  {verb}: {amount} at {when}, {moved.where}")
    return told
