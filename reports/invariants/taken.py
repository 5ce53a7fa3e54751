"""What clients ask is taken: no fault, no overload and no upgrade keeps them out for ever."""

from collections.abc import Generator

from reports.amounts import seconds
from reports.breaks import Break
from reports.case import Case

OVERLOADED = 429
TAKEN_NS = 30 * 10**9  # who goes on asking for so long after the last fault must have been taken


def all_taken(case: Case) -> Generator[Break, None, int]:
    """Yield what nobody took although it was asked for long after all faults had ended."""
    ended_ns = _last_fault(case)
    asked = [op for op in case.asked if op.attempts]
    for op in asked:
        waited_ns = op.attempts[-1].invoked_ns - max(op.invoked_ns, ended_ns)
        open_ = op.outcome != "ok" and (op.status in (0, OVERLOADED) or op.status >= 500)
        if not open_ or waited_ns < TAKEN_NS or case.forgive("gateway"):
            continue
        yield Break(
            invariant="I14",
            code="TURNED_AWAY" if op.status == OVERLOADED else "NOT_TAKEN",
            where=f"request {op.request_id} of user {op.user_id}",
            expected=f"to be taken within {seconds(TAKEN_NS)} after the last fault",
            found=f"{len(op.attempts)} attempts, the last answered {op.status} {op.reason}".strip(),
            asset_id=op.asset_id,
            user_id=op.user_id,
            request_id=op.request_id,
            at_ns=op.invoked_ns,
            age_ns=waited_ns,
            cause=case.why("gateway", op.invoked_ns),
        )
    return len(asked)


def _last_fault(case: Case) -> int:
    """Return when the last fault ended; the end of the evidence if one never did."""
    entered = [fault for fault in case.evidence.faults if fault.entered_ns is not None]
    ends = [fault.left_ns for fault in entered if fault.left_ns is not None]
    return case.about.ended_ns if len(ends) < len(entered) else max(ends, default=0)
