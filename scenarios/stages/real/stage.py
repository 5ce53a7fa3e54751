"""The course of a run on the real stage: the same as in a simulated world.

Servers are there already; in order: empty topics and tables, programs, load and harm at once,
healing, a bound within which everything must settle, questions by clients, dumps and a double
recovery, an orderly stop, evidence.
"""

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from reports import judge
from reports.evidence import Evidence
from reports.judge import Judgement
from scenarios import auditor
from scenarios.backends.base import Backend
from scenarios.nemesis import Nemesis
from scenarios.scenario import MILLISECOND, SECOND, Plan, Scenario
from scenarios.stages import audit
from scenarios.stages.real import gathering
from scenarios.stages.real.town import RealTown
from scenarios.workloads import Intent

_LOAD = 600 * SECOND
_SLACK = 50 * MILLISECOND  # what is due now is done at the next look
_DECIDING = 2 * SECOND  # the bound counts from a decision, and some come after the healing
_QUESTIONS = 120 * SECOND


@dataclass(slots=True, kw_only=True)
class RealRun:
    """A run that came to its end, or was ended: everything there is to know of it.

    `asked` is its plan, `given` the same if it is not the one that the seed draws, and `plan` what
    of it could be had on these servers.
    """

    scenario: Scenario
    seed: int
    plan: Plan
    asked: Plan
    given: Plan | None
    evidence: Evidence
    judgement: Judgement
    interrupted: bool
    notes: tuple[str, ...]


def run(
    scenario: Scenario,
    seed: int,
    backend: Backend,
    folder: Path,
    *,
    plan: Plan | None = None,
    destroy: Collection[str] = (),
    say: Callable[[str], None] = lambda _: None,
) -> RealRun:
    """Play `scenario` on servers that run; `folder` is made and holds what programs wrote."""
    folder.mkdir(parents=True, exist_ok=True)
    with RealTown(scenario, backend, folder, seed=seed, plan=plan, destroy=destroy) as town:
        for step, why in town.untested:
            say(f"not tested here: {step.fault!r}: {why}")
        stage = _Stage(town)
        interrupted = False
        try:
            stage.play()
        except KeyboardInterrupt:
            if not stage.log.began_ns:
                raise  # nobody has asked for anything yet
            interrupted = True
            stage.give_up("interrupted at {:.1f} s")
        evidence = stage.end()
    judgement = judge.judge(evidence)
    return RealRun(
        scenario=scenario,
        seed=seed,
        plan=town.plan,
        asked=town.asked,
        given=town.given,
        evidence=evidence,
        judgement=judgement,
        interrupted=interrupted,
        notes=tuple(town.notes),
    )


class _Stage:
    """One run, phase by phase."""

    def __init__(self, town: RealTown) -> None:
        self.town = town
        self.log = audit.Log()
        self.nemesis = Nemesis(town.ground, town.plan)
        self.unreadable: list[str] = []

    def play(self) -> None:
        """Go through all phases but the last."""
        town = self.town
        town.prepare()
        town.note("phase", "prepared")
        town.start_programs()
        town.note("phase", "started")
        town.wait_until_ready()
        town.note("phase", "ready")
        self.log.began_ns = town.clock.now
        finished = self._let_clients_in()
        self.nemesis.unleash()
        harm_ends = town.story.now + max(
            (step.at + step.lasts + _SLACK for step in town.plan if step.on is None), default=0
        )
        town.run_until(lambda: finished() and town.story.now >= harm_ends, _LOAD)
        self._heal()
        if town.run_until(town.caught_up, town.scenario.settles_ns + _DECIDING):
            self.log.quiescent_ns = town.clock.now
        town.note("phase", "settled" if self.log.quiescent_ns is not None else "not settled")
        self._ask_what_became_of_it()
        town.note("phase", "asked")
        if self.log.quiescent_ns is not None:  # else a recovery would blur what went wrong
            for shard, _ in enumerate(town.deployment.cores, 1):
                audit.dump_and_recover_twice(gathering.RealCore(town, shard), self.log)
        self.log.ended_ns = town.clock.now
        town.note("phase", "audited")

    def give_up(self, why: str) -> None:
        """End before the end, so that what is there can still be judged."""
        now = self.town.clock.now
        self.unreadable.append(why.format(now / SECOND))
        self.nemesis.heal()
        self.town.ground.release()
        self.town.servers.wait_until_all_up()
        self.log.healed_ns = self.log.healed_ns or now
        self.log.ended_ns = now

    def end(self) -> Evidence:
        """Stop the programs and gather all evidence."""
        self.unreadable += [
            f"{label} did not stop within its time and was killed" for label in self.town.stop()
        ]
        self.town.note("phase", "stopped")
        return gathering.gather(self.town, self.nemesis, self.log, self.unreadable)

    def _heal(self) -> None:
        self.nemesis.heal()
        self.town.ground.release()
        self.town.servers.wait_until_all_up()
        self.log.healed_ns = self.town.clock.now
        self.town.note("phase", "healed")

    def _let_clients_in(self) -> Callable[[], bool]:
        town = self.town
        by_client: dict[str, list[Intent]] = {}
        for intent in town.scenario.workload.intents(town.stream("workload")):
            by_client.setdefault(intent.client, []).append(intent)
        began = town.story.now

        def carry_out(name: str, intents: list[Intent]) -> None:
            client = town.client(name)
            client.carry_out(intents, began, town.story.until)
            client.connection.hang_up()

        threads = [
            threading.Thread(target=carry_out, args=each, name=each[0], daemon=True)
            for each in by_client.items()
        ]
        for thread in threads:
            thread.start()
        return lambda: not any(thread.is_alive() for thread in threads)

    def _ask_what_became_of_it(self) -> None:
        """Let a client read everything, and ask for what nobody answered."""
        quiescent, traded = self.log.quiescent_ns is not None, bool(self.town.deployment.engines)

        def ask() -> None:
            auditor.ask(self.town.client("auditor"), quiescent=quiescent, traded=traded)

        thread = threading.Thread(target=ask, name="auditor", daemon=True)
        thread.start()
        self.town.run_until(lambda: not thread.is_alive(), _QUESTIONS)
