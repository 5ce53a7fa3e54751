"""A scenario: a deployment, the load on it, the harm done to it, and what it owes.

A scenario is data: frozen, built of tuples, strings and integers, so that ``repr`` of a plan is
its source text and two runs of one scenario and seed are the same run.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from scenarios.budget import FaultBudget
from scenarios.deployment import Deployment
from scenarios.workloads import Workload
from sim.bounds import demand
from sim.entropy import Streams
from sim.faults import Fault
from sim.moments import Moment
from sim.world import EPOCH_NS

MICROSECOND, MILLISECOND, SECOND = 10**3, 10**6, 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Inject `fault` at a time or on a moment, and heal it `lasts` later (all nanoseconds).

    `at` counts from the start of the workload. With `on`, `at` is when the moment is armed.
    """

    fault: Fault
    at: int = 0
    on: Moment | None = None
    lasts: int = 0

    def __post_init__(self) -> None:
        demand(self, 0, None, "at", "lasts")


Plan = tuple[Step, ...]
PlanGenerator = Callable[[random.Random, "Scenario"], Plan]


def no_faults(_: random.Random, __: "Scenario") -> Plan:
    """Plan nothing."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Load and harm, then healing and a bound within which everything must have settled.

    `programs` replaces programs of the deployment by others (``module:Class``); `expect` names
    the invariants of which at least one must break (for controls); `sometimes` are goals that a
    campaign must have reached.
    """

    name: str
    story: str
    workload: Workload
    plan: PlanGenerator = no_faults
    deployment: Deployment = field(default_factory=Deployment)
    budget: FaultBudget = field(default_factory=FaultBudget)
    programs: tuple[tuple[str, str], ...] = ()
    settles_ns: int = 60 * SECOND
    expect: tuple[str, ...] = ()
    sometimes: tuple[str, ...] = ()
    epoch_ns: int = EPOCH_NS

    def draw(self, stream: random.Random) -> Plan:
        """Return the plan that this scenario draws from `stream`."""
        return self.plan(stream, self)

    def plan_of(self, seed: int) -> Plan:
        """Return the plan that `seed` draws, on either stage."""
        return self.draw(Streams(seed).stream("plan"))
