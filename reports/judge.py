"""The judge: one case in, checks, reconciliation and a verdict out."""

from collections.abc import Iterable

import msgspec

from reports.breaks import Break, Check, Verdict, worst
from reports.case import Case
from reports.evidence import Evidence
from reports.invariants import applicable, check_all
from reports.reconcile import Statement, reconcile
from reports.reconcile.statement import INVARIANT

PROMISE = "what one hop holds, the next one holds"


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to. ``case`` is kept for the pages."""

    verdict: Verdict
    checks: tuple[Check, ...]
    statement: Statement
    case: Case

    @property
    def breaks(self) -> tuple[Break, ...]:
        """All breaks, in the order of the invariants, reconciliation last."""
        return tuple(b for check in self.checks for b in check.breaks)

    @property
    def excused(self) -> tuple[str, ...]:
        """The owed halts that were needed to pass, each once."""
        return tuple(dict.fromkeys(text for check in self.checks for text in check.excused))

    @property
    def unknown(self) -> tuple[str, ...]:
        """Why the verdict could not be `held`: what was not checked or not readable."""
        unchecked = (
            f"{check.invariant}: {check.error or 'nothing to check'}"
            for check in self.checks
            if check.verdict == "unknown"
        )
        return (*unchecked, *self.case.evidence.unreadable)


def judge(evidence: Evidence, invariants: Iterable[str] | None = None) -> Judgement:
    """Judge the evidence of a run by all invariants that apply, or by some."""
    case = Case(evidence)
    checks = check_all(case, applicable(case) if invariants is None else invariants)
    statement = reconcile(case)
    traced = Check(
        invariant=INVARIANT,
        promise=PROMISE,
        checked=sum(hop.count for hop in statement.hops)
        + (statement.trading.count if statement.trading else 0),
        breaks=tuple(statement.breaks()),
    )
    verdict = worst(check.verdict for check in (*checks, traced))
    if verdict == "held" and evidence.unreadable:
        verdict = "unknown"
    return Judgement(verdict=verdict, checks=(*checks, traced), statement=statement, case=case)
