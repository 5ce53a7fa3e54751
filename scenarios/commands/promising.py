"""Which of the plans that catch a bug in simulation catch it with real processes, most likely.

A catch can hang on a fault that real servers cannot have, or on one order of events among many.
So each plan is played again in simulation without the faults that have no counterpart, and with
other seeds: other users, other timing. Judged is what the real stage would see of it. Plans that
catch the bug there with most seeds come first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from scenarios import catalog
from scenarios.commands import planted
from scenarios.deployment import Deployment
from scenarios.hunt import hunt
from scenarios.results import Result
from scenarios.scenario import Scenario
from scenarios.stages.real import counterparts
from scenarios.stages.real.counterpart import Setting

_PLANS = 6  # of those that catch the bug where the servers are, so many are enough
_PLANS_TRIED = 18  # so many that hang on what is not there say that there is no counterpart
_TRIES = 3  # with so many other seeds each


@dataclass(frozen=True, slots=True, kw_only=True)
class Promising:
    """A plan that caught a bug in simulation: the seed that draws it, and how surely it catches.

    `number` is the seed's place in the campaign; of `tries` other seeds with the part of this
    plan that has counterparts, `caught` broke what was expected. `hangs_on` are the kinds of faults
    left out, each with the reason, if the seed itself catches nothing without them, on as many
    servers as there are.
    """

    number: int
    seed: int
    by: str
    caught: int
    tries: int
    hangs_on: tuple[str, ...]

    @property
    def possible(self) -> bool:
        """Whether anything catches the bug with this plan where the servers are."""
        return not self.hangs_on or self.caught > 0


class Search:
    """Yields the plans that catch a bug: likely ones at once, the others at the end, best first.

    A plan is likely if most other seeds catch the bug with it, too. One that hangs on what is not
    there is left out.
    """

    def __init__(self, name: str, where: Setting, seeds: int, jobs: int) -> None:
        self.name = name
        self.where = where
        self.seeds = seeds
        self.jobs = jobs
        self.tried: list[Promising] = []

    def __iter__(self) -> Iterator[Promising]:
        """Look for plans only as long as somebody asks for another."""
        unlikely: list[Promising] = []
        caught = planted.catches(self.name, self.seeds, 0, self.jobs)
        for number, result in islice(caught, _PLANS_TRIED):
            if sum(plan.possible for plan in self.tried) == _PLANS:
                break
            plan = self._try(number, result)
            self.tried.append(plan)
            if 2 * plan.caught > plan.tries:
                yield plan
            elif plan.possible:
                unlikely.append(plan)
        yield from sorted(unlikely, key=lambda each: (-each.caught, each.number))

    def _try(self, number: int, result: Result) -> Promising:
        scenario, own = catalog.find(self.name), result.seed
        plan = scenario.plan_of(own)
        lacking = [counterparts.lacking(step, self.where) for step in plan]
        left_out = [i for i, why in enumerate(lacking) if why]
        others = planted.seeds_of(_TRIES, 1)
        catching = self._catching(scenario, own, left_out, (own, *others))
        kinds = dict.fromkeys(f"{plan[i].fault.kind}: {lacking[i]}" for i in left_out)
        if not kinds:
            kinds = dict.fromkeys(_fewer(scenario.deployment, self.where.deployment))
        return Promising(
            number=number,
            seed=own,
            by=broken(result, scenario.expect),
            caught=len(catching & {*others}),
            tries=_TRIES,
            hangs_on=() if own in catching else tuple(kinds),
        )

    def _catching(
        self, scenario: Scenario, plan_of: int, left_out: Sequence[int], seeds: Sequence[int]
    ) -> set[int]:
        """Return the seeds that catch the bug with the plan of one seed, but for some steps of it.

        They have as many servers of each kind as the real stage.
        """
        without = ",".join(map(str, left_out))
        there = self.where.deployment
        servers = f"{','.join(there.brokers)}/{','.join(there.nodes)}"
        arguments = (
            *("--plan-of", str(plan_of), "--without", without, "--as-real"),
            *("--servers", servers),
        )
        results: list[Result] = []
        campaign = hunt(
            scenario.name, iter(seeds), jobs=self.jobs, arguments=arguments, keep_results=results
        )
        if campaign.interrupted:
            raise KeyboardInterrupt
        return {result.seed for result in results if broken(result, scenario.expect)}


def _fewer(deployment: Deployment, there: Deployment) -> Iterator[str]:
    """Yield what a plan hangs on that names no server which is not there."""
    for what, wanted, found in (
        ("brokers", deployment.brokers, there.brokers),
        ("nodes", deployment.nodes, there.nodes),
    ):
        if len(found) < len(wanted):
            yield f"it takes more {what} than {len(found)}"


def broken(result: Result, expected: Sequence[str]) -> str:
    """Return the expected invariants that broke, in words."""
    there = {each.invariant for each in result.breaks}
    return " ".join(invariant for invariant in expected if invariant in there)
