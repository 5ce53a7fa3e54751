"""The course of a load, from the first program to a reconciled ledger.

In order: baseline, programs, search or warm-up, the measured load with its faults, healing, all of
it settled, an orderly stop, reconciliation, baseline again.
"""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from reports.load import Band, Trial
from scenarios.backends.base import Backend
from scenarios.errors import Infrastructure, Unreadable, UsageError
from scenarios.load import figures, reconciled, told
from scenarios.load.baseline import Baseline
from scenarios.load.driving import Drive
from scenarios.load.figures import Window
from scenarios.load.made import Made
from scenarios.load.samples import Samples
from scenarios.load.search import Search
from scenarios.load.settings import SECOND, Settings
from scenarios.nemesis import Nemesis
from scenarios.scenario import Plan, Scenario
from scenarios.stages.real.town import RealTown

_DRAIN = 60 * SECOND  # between two trials of a search
_HARM = 600 * SECOND  # for a plan that goes on after the load
_WARM_S = 3.0  # of bare inserts before those that count


def run(
    settings: Settings,
    scenario: Scenario,
    backend: Backend,
    folder: Path,
    *,
    plan: Plan | None = None,
    destroy: Collection[str] = (),
    say: Callable[[str], None] = lambda _: None,
) -> Made:
    """Put a load on `scenario`'s programs; `folder` is made and holds what they write."""
    folder.mkdir(parents=True, exist_ok=True)
    town = RealTown(
        deployed(scenario, settings),
        backend,
        folder,
        seed=settings.seed,
        plan=plan,
        destroy=destroy,
        followed=False,
    )
    _leave_out_late(town, round(settings.whole_s * SECOND))
    for step, why in town.untested:
        if settings.faults_needed:
            raise UsageError(f"{step.fault!r} cannot be had here: {why}")
        say(f"not tested here: {step.fault!r}: {why}")
    return _Course(settings, town, say).run()


def deployed(scenario: Scenario, settings: Settings) -> Scenario:
    """Return the scenario with as many instances of each program as the settings say."""
    own = scenario.deployment
    gateways = settings.gateways if settings.through == "http" else 0
    deployment = replace(
        own,
        gateways=tuple(f"gateway-{number + 1}" for number in range(gateways)),
        cores=tuple(f"ubscore-{number + 1}" for number in range(settings.shards)),
        engines=own.engines
        if settings.engines is None
        else tuple(f"engine-{number + 1}" for number in range(settings.engines)),
        settlements=tuple(f"settlement-{number + 1}" for number in range(settings.settlements)),
        partitions=settings.partitions,
        settings=told.over(own.settings, settings.told),
    )
    return replace(scenario, deployment=deployment)


def _leave_out_late(town: RealTown, ends_ns: int) -> None:
    """Leave out steps that would come when nobody sends any more."""
    late = tuple(step for step in town.plan if step.at >= ends_ns)
    town.plan = tuple(step for step in town.plan if step.at < ends_ns)
    why = f"the load ends after {ends_ns / SECOND:g} s"
    town.untested += tuple(
        (step, f"it would come at {step.at / SECOND:g} s, and {why}") for step in late
    )


class _Course:
    """One load, phase by phase."""

    def __init__(self, settings: Settings, town: RealTown, say: Callable[[str], None]) -> None:
        self.settings = settings
        self.town = town
        self.say = say
        self.nemesis = Nemesis(town.ground, town.plan)
        self.samples = Samples()
        self.drive = Drive(settings, town, self.samples)
        instances = {role: len(names) for role, names in town.deployment.roles}
        self.made = Made(self.samples, rate=settings.rate, plan=town.plan, instances=instances)
        self.made.untested = tuple(f"{s.fault!r}: {why}" for s, why in town.untested)

    def run(self) -> Made:
        """Go through all phases; an interruption shortens them, and what is left still counts."""
        with ExitStack() as stack:
            baseline = self._baseline(stack)
            with self.town:
                stack.callback(self.drive.close)
                self.drive.start()
                self._go_through()
            if not self.made.died:
                self._reconcile()
            if baseline is not None and not self.made.interrupted and not self.made.died:
                self._measure_bare(baseline)
        return self.made

    def _go_through(self) -> None:
        """Load, settle and stop; what was measured is kept although a server dies meanwhile."""
        try:
            try:
                self._load()
            except KeyboardInterrupt:
                self.made.interrupted = True
                self.made.stopped_ns = self.town.clock.now
                self.say("interrupted: what is under way is waited for; again to drop it")
            self._end()
        except Infrastructure as error:
            at_s = (self.town.clock.now - self.made.begin_ns) / SECOND
            self.made.died = str(error)
            self.made.unknown.append(f"{at_s:.1f} s after the start of the load {error}")
            self.made.stopped_ns = self.town.clock.now
            self._close()

    # -- before --------------------------------------------------------------------------------

    def _baseline(self, stack: ExitStack) -> Baseline | None:
        if not self.settings.baseline_s:
            return None
        settings, town = self.settings, self.town
        baseline = Baseline(town.backend, town.keyspace, settings.users, settings.seed)
        stack.enter_context(baseline)
        baseline.measure(_WARM_S)
        self._measure_bare(baseline)
        return baseline

    def _measure_bare(self, baseline: Baseline) -> None:
        rate = baseline.measure(self.settings.baseline_s)
        self.made.baseline.append(rate)
        self.say(f"a bare client inserts {rate:,.0f} rows/s")

    # -- under load ----------------------------------------------------------------------------

    def _load(self) -> None:
        settings, made, drive = self.settings, self.made, self.drive
        if settings.bound_ms is not None:
            made.rate = self._search(settings.bound_ms)
            if not made.rate:
                made.unknown.append("no rate held the bound: there is nothing to measure")
                return
        warm_ns, lasts_ns = round(settings.warm_up_s * SECOND), round(settings.lasts_s * SECOND)
        whole_ns = warm_ns + lasts_ns
        drive.meter.begin(drive.processes())
        made.begin_ns = drive.begin(made.rate, whole_ns)
        self.say(f"{made.rate:,.0f} requests/s for {whole_ns / SECOND:g} s")
        made.window = Window(made.begin_ns + warm_ns, made.begin_ns + whole_ns)
        self.nemesis.unleash()
        drive.until(lambda: drive.now >= made.window.end_ns, whole_ns)
        harm_ends = made.begin_ns + max((s.at + s.lasts for s in self.town.plan), default=0)
        drive.until(lambda: drive.now >= harm_ends, _HARM)

    def _search(self, bound_ms: float) -> float:
        search = Search(rate=self.settings.rate)
        self._warm_up()
        while search.rate is not None:
            trial = self._try(search.rate, bound_ms)
            self.made.trials.append(trial)
            self.say(
                f"tried {trial.rate:,.0f}/s: p99 {trial.p99_ms:,.0f} ms,"
                f" {'held' if trial.held else trial.why}"
            )
            search.tried(held=trial.held)
        self.made.notes.append(f"the search ended: {search.ended}")
        self.say(self.made.notes[-1])
        return search.held

    def _warm_up(self) -> None:
        """Send a while without judging it: nobody's first requests are his fastest."""
        if self.settings.warm_up_s:
            self.drive.begin(self.settings.rate, round(self.settings.warm_up_s * SECOND))
            self.drive.settled()

    def _try(self, rate: float, bound_ms: float) -> Trial:
        drive, lasts_ns = self.drive, round(self.settings.trial_s * SECOND)
        begun = drive.begin(rate, lasts_ns)
        drive.until(lambda: drive.done, lasts_ns + _DRAIN)
        window = Window(begun + lasts_ns // 4, begun + lasts_ns)
        return figures.trial(self.samples, window, rate, bound_ms)

    # -- after ---------------------------------------------------------------------------------

    def _end(self) -> None:
        """Heal, wait until all that was acknowledged has settled, and stop the programs."""
        made, town = self.made, self.town
        try:
            self._settle()
        except KeyboardInterrupt:
            if made.interrupted:
                raise
            made.interrupted = True
        self._close()
        if not made.interrupted:  # else nobody has waited for them
            made.breaks += reconciled.missing(self.samples)
        made.notes += [f"{label} was killed: it did not stop in time" for label in town.stop()]

    def _close(self) -> None:
        """Send and follow no more, and keep what was measured."""
        made, drive = self.made, self.drive
        made.machine, made.usage = drive.meter.machine(), drive.metered()
        drive.close()
        made.end_ns = drive.now
        made.answers = dict(drive.sender.answers)
        made.bands = tuple(self._bands())
        made.notes += reconciled.endings(self.town.supervisor.events, made.bands)

    def _settle(self) -> None:
        self.nemesis.heal()
        self.town.ground.release()
        self.town.servers.wait_until_all_up()
        if self.made.interrupted:
            self.drive.hurry()
        else:
            self.drive.settled()

    def _reconcile(self) -> None:
        town, made = self.town, self.made
        self.say(f"reconciling {len(self.samples):,} requests")
        bound_s = town.scenario.settles_ns / SECOND
        logs = [town.site.data(core) for core in town.deployment.cores]
        began = time.monotonic()
        try:
            found = reconciled.outcome(town.backend, town.group, town.keyspace, logs, bound_s)
        except Unreadable as error:
            made.unknown.append(str(error))
            return
        made.outcome = found
        made.unknown += found.unknown
        left = reconciled.on_its_way(found)
        if left:
            made.unknown.append(f"{left} effects were still on their way at the end")
        made.notes.append(f"reconciled in {time.monotonic() - began:.1f} s")

    def _bands(self) -> Iterator[Band]:
        for injection in self.nemesis.injections:
            receipt = injection.receipt
            effects = ", ".join(f"{name}: {value}" for name, value in receipt.effects.items())
            yield Band(
                fault=repr(injection.step.fault),
                from_s=self._since(injection.entered_ns),
                to_s=self._since(injection.left_ns or injection.entered_ns),
                effects=effects if receipt.bites else "bit nothing",
            )

    def _since(self, at_ns: int | None) -> float | None:
        return None if at_ns is None else (at_ns - self.made.begin_ns) / SECOND
