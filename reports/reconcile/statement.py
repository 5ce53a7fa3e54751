"""The statement: five hops, the steps between them, and what each difference consists of.

A difference is either a break, or an *explained item*: a rejected command, a request whose
answer was lost, something on its way when the evidence was taken, or the wait for an owed halt.
What neither accounts for is a break of its own.
"""

from collections.abc import Callable, Iterator

import msgspec

from reports.breaks import Break
from reports.case import Case
from reports.reconcile.codes import (
    ACKNOWLEDGED,
    EVENTS_TOPIC,
    LEDGER,
    LOG,
    OPERATIONS_TOPIC,
    meaning,
)
from reports.reconcile.hops import Hop, hops
from reports.reconcile.matching import Mismatch, match
from reports.reconcile.totals import Totals, remainder
from reports.reconcile.trading import TradingStatement, trading_statement

INVARIANT = "R"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the difference between two hops; ``parts`` says how many it sums up."""

    code: str
    explained: bool
    user_id: int
    request_id: str
    asset_id: int
    amount: int
    count: int
    at_ns: int | None
    place: str
    cause: str
    parts: int = 1


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """From one hop to the next; ``unexplained`` is per asset, count under asset 0."""

    before: str
    after: str
    differences: tuple[Difference, ...]
    unexplained: dict[int, int]


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """The whole reconciliation."""

    hops: tuple[Totals, ...]
    steps: tuple[Step, ...]
    ended_ns: int
    trading: TradingStatement | None = None

    @property
    def assets(self) -> list[int]:
        """All assets that occur anywhere."""
        return sorted({asset for hop in self.hops for asset in hop.sums})

    @property
    def clean(self) -> bool:
        """Whether every difference is explained."""
        return not any(True for _ in self.breaks())

    def breaks(self) -> Iterator[Break]:
        """Yield the differences that nothing explains away, and any remainder."""
        if self.trading is not None:
            yield from self.trading.breaks
        for step in self.steps:
            way = f"{step.before} -> {step.after}"
            for part in step.differences:
                if not part.explained:
                    yield self._break(way, part)
            for asset, amount in sorted(step.unexplained.items()):
                yield Break(
                    invariant=INVARIANT,
                    code="UNEXPLAINED",
                    where=way,
                    expected="each difference listed",
                    found=f"a remainder of {amount}" + (" effects" if not asset else ""),
                    amount=amount if asset else 0,
                    asset_id=asset,
                )

    def _break(self, way: str, part: Difference) -> Break:
        return Break(
            invariant=INVARIANT,
            code=part.code,
            where=f"{way} ({part.place})",
            amount=part.amount,
            asset_id=part.asset_id,
            user_id=part.user_id,
            request_id=part.request_id,
            at_ns=part.at_ns,
            age_ns=None if part.at_ns is None else max(self.ended_ns - part.at_ns, 0),
            cause=part.cause,
        )


Verdict = tuple[str, bool, str]  # code, explained, cause


def reconcile(case: Case) -> Statement:
    """Reconcile a case hop by hop."""
    five = hops(case)
    judges: tuple[Callable[[Case, Mismatch], Verdict], ...] = (
        _accepted_to_topic,
        _topic_to_log,
        _log_to_events,
        _events_to_ledger,
    )
    steps = tuple(
        _step(case, five[i], five[i + 1], judge, hashed=i < 3, seq=i >= 2)
        for i, judge in enumerate(judges)
    )
    trading = trading_statement(case) if case.trading else None
    return Statement(hops=five, steps=steps, ended_ns=case.about.ended_ns, trading=trading)


def _step(
    case: Case,
    before: Hop,
    after: Hop,
    judge: Callable[[Case, Mismatch], Verdict],
    *,
    hashed: bool,
    seq: bool,
) -> Step:
    differences = []
    for mismatch in match(before.items, after.items, hashed=hashed, seq=seq):
        code, explained, cause = judge(case, mismatch)
        item = mismatch.item
        differences.append(
            Difference(
                code=code,
                explained=explained,
                user_id=item.key[0],
                request_id=item.key[1],
                asset_id=item.asset_id,
                amount=mismatch.amount,
                count=mismatch.surplus,
                at_ns=item.at_ns,
                place=item.place,
                cause=cause,
            )
        )
    return Step(
        before=before.name,
        after=after.name,
        differences=tuple(differences),
        unexplained=remainder(before, after, differences),
    )


def _accepted_to_topic(case: Case, mismatch: Mismatch) -> Verdict:
    item = mismatch.item
    code, cause = meaning(ACKNOWLEDGED, OPERATIONS_TOPIC, mismatch.kind)
    if mismatch.kind == "missing":
        return code, False, f"{cause}: {case.why('gateway', item.at_ns)}"
    if mismatch.kind != "orphan":
        return code, False, cause
    outcomes = [
        op.outcome for op in case.transfers if (op.user_id, op.request_id, op.body_hash) == item.key
    ]
    if "info" in outcomes:
        return "INDEFINITE", True, "the client never learned it: no answer came"
    if "fail" in outcomes:
        return "REFUSED_YET_SENT", False, "the gateway refused it and published it all the same"
    return code, False, cause


def _topic_to_log(case: Case, mismatch: Mismatch) -> Verdict:
    item = mismatch.item
    code, cause = meaning(OPERATIONS_TOPIC, LOG, mismatch.kind, item.place)
    if mismatch.kind != "missing":
        return code, False, cause
    for decision in case.decisions:
        if decision.key == item.key and decision.rejected:
            return "REJECTED", True, f"{decision.frame.reason} ({decision.place})"
    return _late(case, item.at_ns, code, "ubscore", cause)


def _log_to_events(case: Case, mismatch: Mismatch) -> Verdict:
    item = mismatch.item
    code, cause = meaning(LOG, EVENTS_TOPIC, mismatch.kind, item.place)
    if mismatch.kind == "missing":
        return _late(case, item.at_ns, code, "ubscore", cause)
    if mismatch.kind == "orphan":
        unread = next((journal.damage for journal in case.journals if journal.damage), "")
        excuse = case.excuse("ubscore")
        if unread and excuse:
            return "LOG_UNREADABLE", True, f"{unread}; {excuse}"
    return code, False, cause


def _events_to_ledger(case: Case, mismatch: Mismatch) -> Verdict:
    item = mismatch.item
    code, cause = meaning(EVENTS_TOPIC, LEDGER, mismatch.kind, item.place)
    if mismatch.kind == "missing":
        return _late(case, item.at_ns, code, "settlement", cause)
    return code, False, cause


def _late(case: Case, at_ns: int | None, code: str, program: str, what: str) -> Verdict:
    """Judge something that has not arrived: owed, on its way, or lost."""
    excuse = case.excuse(program, "ubscore" if program == "settlement" else program)
    if excuse:
        return "AWAITS_OPERATOR", True, excuse
    if not case.due(at_ns):
        return "IN_FLIGHT", True, "on its way when the evidence was taken"
    return code, False, f"{what}; {case.why(program, at_ns)}"
