"""The checkers: one generator of breaks per invariant, over a case and nothing else.

Each yields `Break`s and returns how many things it looked at. Nothing looked at is *unknown*.
"""

from collections.abc import Callable, Generator, Iterable

from reports.breaks import Break, Check
from reports.case import Case
from reports.invariants import (
    commits,
    damage,
    frozen,
    history,
    ledger,
    log,
    matching,
    money,
    outcomes,
    recoveries,
)

Checker = Callable[[Case], Generator[Break, None, int]]


def _replays(case: Case) -> Generator[Break, None, int]:
    # It loads the programs, and in a worker the doors have to be hung before that.
    from reports.invariants import replays  # noqa: PLC0415

    return (yield from replays.replays_alike(case))


CHECKERS: dict[str, tuple[str, Checker]] = {
    "I1": ("per asset, all accounts hold deposits minus withdrawals", money.conserved),
    "I2": ("no balance is ever negative", money.never_negative),
    "I3": ("acknowledged means decided and visible exactly once", outcomes.acknowledged_once),
    "I4": ("a request key has at most one effect", outcomes.one_effect),
    "I5": ("ledger rows are 1..n without hole, one to one with events", ledger.rows_match_events),
    "I6": ("each balance is the one before plus the change", money.running_balance),
    "I7": ("the state after recovery is what the durable log adds up to", recoveries.state_is_fold),
    "I8": ("what came first is treated first, and books are the reference's", matching.in_order),
    "I9": ("outputs of the engine are 1..n and chained, settled as they are", matching.chained),
    "I10": ("frozen is what open orders still need", frozen.frozen_is_locked),
    "I11": ("an input log gives the same bytes again", _replays),
    "I12": ("a committed offset never runs ahead of durable rows", commits.commits_behind_rows),
    "I13": ("answers are honest", outcomes.honest),
    "I14": ("what reached Kafka ends within the bound, and only owed halts stop", history.alive),
    "I15": ("reads are true and never go back", history.reads_true),
    "I16": ("an effect is all or nothing", money.whole_effects),
    "I17": ("nothing seen outside is missing from the durable log", log.nothing_rolled_back),
    "I18": ("undecidable damage halts, and nothing else does", damage.damage_halts),
}


ABOUT_ORDERS = ("I8", "I9", "I10")


def applicable(case: Case) -> tuple[str, ...]:
    """Return the invariants that a case can be held to: some are about orders alone."""
    return tuple(name for name in CHECKERS if case.trading or name not in ABOUT_ORDERS)


def check(case: Case, invariant: str) -> Check:
    """Check one invariant. A checker that fails has found out nothing: unknown."""
    promise, checker = CHECKERS[invariant]
    case.excused = []
    breaks: list[Break] = []
    running = checker(case)
    checked, error = 0, ""
    try:
        while True:
            breaks.append(next(running))
    except StopIteration as end:
        checked = end.value
    except Exception as problem:  # noqa: BLE001 - its verdict is unknown, and says why
        error = f"the checker failed: {type(problem).__name__}: {problem}"
    return Check(
        invariant=invariant,
        promise=promise,
        checked=checked,
        breaks=tuple(breaks),
        excused=tuple(case.excused),
        error=error,
    )


def check_all(case: Case, invariants: Iterable[str] = CHECKERS) -> tuple[Check, ...]:
    """Check invariants in the order given."""
    return tuple(check(case, invariant) for invariant in invariants)
