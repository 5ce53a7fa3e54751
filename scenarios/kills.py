"""Kills: a plan that kills UBSCore again and again, and what became of each kill.

Half of the kills come at random times, half at chosen calls. Those of a recovery (`wal.read`,
`wal.rename`, `wal.unlink`) wait for the next start, so that a kill is followed by another while
the program recovers from it.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from reports.evidence import Evidence
from scenarios.deployment import Deployment
from scenarios.scenario import MILLISECOND, Plan, Scenario, Step
from sim.faults import Crash
from sim.moments import Moment

AT_RANDOM = "at a random time"

_AT = (
    ("wal.append", 0.0),
    ("wal.append", 0.5),
    ("wal.append", 0.9),
    ("wal.append", 1.0),
    ("wal.fsync", 0.0),
    ("wal.fsync", 1.0),
    ("wal.rename", 0.0),
    ("wal.rename", 1.0),
    ("wal.unlink", 0.0),
    ("wal.unlink", 1.0),
    ("wal.read", 0.0),
    ("wal.read", 1.0),
    ("operations.poll", 0.0),
    ("events.produce", 0.0),
    ("events.produce", 1.0),
    ("events.delivered", 0.0),
    ("events.delivered", 1.0),
)
_ORDINALS = {"wal.read": 4, "wal.fsync": 4, "wal.append": 3}


def kills(count: int, every_ms: int) -> Callable[[random.Random, Scenario], Plan]:
    """Return a generator of plans with `count` kills of each shard, one `every_ms` or so."""

    def draw(stream: random.Random, scenario: Scenario) -> Plan:
        steps: list[Step] = []
        for core in scenario.deployment.cores:
            chosen: list[tuple[str, float] | None] = [None] * (count // 2)
            first = stream.randrange(len(_AT))
            chosen += [_AT[(first + i) % len(_AT)] for i in range(count - len(chosen))]
            stream.shuffle(chosen)
            for number, at in enumerate(chosen):
                time_ms = number * every_ms + stream.randrange(every_ms)
                moment = None if at is None else _moment(stream, scenario, core, *at)
                steps.append(Step(at=time_ms * MILLISECOND, on=moment, lasts=1, fault=Crash(core)))
        return tuple(sorted(steps, key=lambda step: (step.at, repr(step))))

    return draw


def _moment(stream: random.Random, scenario: Scenario, core: str, name: str, part: float) -> Moment:
    if 0 < part < 1:
        part = round(stream.uniform(0.01, 0.99), 3)
    ordinal = stream.randint(1, _ORDINALS.get(name, 2))
    moment = scenario.deployment.moment("ubscore", name, ordinal, part=part)
    return replace(moment, process=core)


def counted(plan: Plan, evidence: Evidence, deployment: Deployment) -> tuple[Counter[str], int]:
    """Return how many programs were killed, by moment, and how many of them while starting."""
    ready = {(e.process, e.incarnation) for e in evidence.processes if e.kind == "ready"}
    tested = [receipt for receipt in evidence.faults if not receipt.untested]
    found: Counter[str] = Counter()
    starting = 0
    for step, receipt in zip(plan, tested, strict=True):
        label = str(receipt.effects.get("killed", ""))
        if isinstance(step.fault, Crash) and label:
            name, _, incarnation = label.partition("#")
            found[_said(step.on, deployment)] += 1
            starting += (name, int(incarnation)) not in ready
    return found, starting


def _said(moment: Moment | None, deployment: Deployment) -> str:
    if moment is None:
        return AT_RANDOM
    when = "in the middle of" if 0 < moment.part < 1 else ("after" if moment.part else "before")
    return f"{when} {deployment.name_of(moment)}"
