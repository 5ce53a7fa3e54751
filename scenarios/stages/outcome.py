"""The outcome of a run, on whichever stage it was: counted from its evidence and judgement."""

from collections import Counter

import msgspec

from reports.breaks import Break
from reports.evidence import Evidence
from reports.judge import Judgement
from scenarios import goals, kills
from scenarios.results import Broken, Result
from scenarios.scenario import Plan, Scenario

_BREAKS_KEPT = 20


def outcome(
    scenario: Scenario, plan: Plan, judgement: Judgement, delivered: dict[str, int]
) -> Result:
    """Return the result of a run; `plan` is what could be tested, in the order of its receipts.

    `delivered` counts the messages of the network by kind, as far as the stage sees them.
    """
    evidence = judgement.case.evidence
    planned, bitten = _faults(evidence)
    killed, starting = kills.counted(plan, evidence, scenario.deployment)
    events = evidence.processes
    result = Result(
        scenario=scenario.name,
        seed=evidence.about.seed,
        verdict=judgement.verdict,
        digest=evidence.about.digest,
        breaks=tuple(Broken(b.invariant, b.code, str(b)) for b in _telling(judgement.breaks)),
        halts=tuple(f"{e.process}: {e.reason}" for e in events if e.kind == "halted"),
        planned=planned,
        bitten=bitten,
        crashes=sum(
            e.kind in ("crashed", "power_lost") and e.at_ns <= evidence.about.healed_ns
            for e in events
        ),
        operations=len(evidence.operations),
        killed=dict(killed),
        killed_starting=starting,
        reached=goals.reached(evidence, delivered),
        events=evidence.about.events,
    )
    return _with_money(result, evidence) if judgement.verdict == "held" else result


def _telling(breaks: tuple[Break, ...]) -> list[Break]:
    """Return a few breaks that stand for all: the first of each kind, then whatever there is."""
    first = {(b.invariant, b.code): b for b in reversed(breaks)}
    kinds = [b for b in breaks if first[b.invariant, b.code] is b]
    return [*kinds, *(b for b in breaks if b not in kinds)][: max(len(kinds), _BREAKS_KEPT)]


def _faults(evidence: Evidence) -> tuple[dict[str, int], dict[str, int]]:
    planned: Counter[str] = Counter()
    bitten: Counter[str] = Counter()
    for receipt in evidence.faults:
        if not receipt.untested:
            planned[receipt.kind] += 1
            bitten[receipt.kind] += bool(receipt.bites)
    return dict(planned), dict(+bitten)


def _with_money(result: Result, evidence: Evidence) -> Result:
    moved: Counter[int] = Counter()
    for row in evidence.rows:
        moved[row.asset_id] += abs(row.delta_avail) + abs(row.delta_frozen)
    return msgspec.structs.replace(result, rows=len(evidence.rows), moved=dict(moved))
