"""The course of a load, from the first program to a reconciled ledger.

In order: baseline, programs, search or warm-up, the measured load with its faults, healing, all of
it settled, an orderly stop, reconciliation, baseline again.
"""

import os
import random
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from reports.breaks import Break
from reports.live.outcome import Outcome
from reports.load import Band, Trial, Usage
from scenarios.backends.base import Address, Backend
from scenarios.errors import Infrastructure, Unreadable, UsageError
from scenarios.keys import OPERATOR_KEY
from scenarios.load import figures, reconciled
from scenarios.load.baseline import Baseline
from scenarios.load.figures import Window
from scenarios.load.following import Follower
from scenarios.load.requests import Requests
from scenarios.load.samples import Samples
from scenarios.load.search import Search
from scenarios.load.sending import Burst, Sender
from scenarios.load.settings import SECOND, Settings
from scenarios.load.through_http import ThroughHttp
from scenarios.load.through_topic import ThroughTopic
from scenarios.load.usage import Meter
from scenarios.nemesis import Nemesis
from scenarios.scenario import Plan, Scenario
from scenarios.stages.real.connection import Connection
from scenarios.stages.real.town import RealTown

_PATIENCE = 90 * SECOND  # for programs to come up
_DRAIN = 60 * SECOND  # between two trials of a search
_HURRY = 5 * SECOND  # for what is under way when somebody interrupts
_METER = SECOND
_WARM_S = 3.0  # of bare inserts before those that count
_READY = {"ubscore": "ready", "engine": "ready", "settlement": "assigned", "gateway": "started"}


@dataclass(slots=True)
class Made:
    """All that a load came to, before it is put into figures."""

    samples: Samples
    begin_ns: int = 0
    window: Window = field(default_factory=lambda: Window(0, 0))
    stopped_ns: int = 0  # when sending ended
    end_ns: int = 0  # when everything had settled
    rate: float = 0.0
    plan: Plan = ()
    instances: dict[str, int] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    trials: list[Trial] = field(default_factory=list)
    usage: tuple[Usage, ...] = ()
    bands: tuple[Band, ...] = ()
    untested: tuple[str, ...] = ()
    baseline: list[float] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    outcome: Outcome | None = None
    interrupted: bool = False


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
    deployed = _deployed(scenario, settings)
    town = RealTown(deployed, backend, folder, seed=settings.seed, plan=plan, destroy=destroy)
    for step, why in town.untested:
        if settings.faults_needed:
            raise UsageError(f"{step.fault!r} cannot be had here: {why}")
        say(f"not tested here: {step.fault!r}: {why}")
    return _Course(settings, town, say).run()


def _deployed(scenario: Scenario, settings: Settings) -> Scenario:
    gateways = settings.gateways if settings.through == "http" else 0
    deployment = replace(
        scenario.deployment,
        gateways=tuple(f"gateway-{number + 1}" for number in range(gateways)),
        cores=tuple(f"ubscore-{number + 1}" for number in range(settings.shards)),
        settlements=tuple(f"settlement-{number + 1}" for number in range(settings.settlements)),
        partitions=settings.partitions,
    )
    return replace(scenario, deployment=deployment)


class _Course:
    """One load, phase by phase."""

    def __init__(
        self,
        settings: Settings,
        town: RealTown,
        say: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self.town = town
        self.backend = town.backend
        self.say = say
        self.nemesis = Nemesis(self.town.ground, self.town.plan)
        self.samples = Samples()
        instances = {role: len(names) for role, names in town.deployment.roles}
        self.made = Made(self.samples, rate=settings.rate, plan=town.plan, instances=instances)
        self.meter = Meter()
        self.made.untested = tuple(f"{s.fault!r}: {why}" for s, why in self.town.untested)
        self._sender: Sender | None = None
        self._follower: Follower | None = None
        self._metered_ns = 0

    def run(self) -> Made:
        """Go through all phases; an interruption shortens them, and what is left still counts."""
        with ExitStack() as stack:
            baseline = self._baseline(stack)
            with self.town:
                stack.callback(self._close)
                self._start()
                try:
                    self._load()
                except KeyboardInterrupt:
                    self.made.interrupted = True
                    self.made.stopped_ns = self.town.clock.now
                    self.say("interrupted: what is under way is waited for; again to drop it")
                self._end()
            self._reconcile()
            if baseline is not None and not self.made.interrupted:
                self._measure_bare(baseline)
        return self.made

    @property
    def sender(self) -> Sender:
        """What sends."""
        assert self._sender is not None, "not started"
        return self._sender

    @property
    def follower(self) -> Follower:
        """What follows events and commits."""
        assert self._follower is not None, "not started"
        return self._follower

    # -- before --------------------------------------------------------------------------------

    def _baseline(self, stack: ExitStack) -> Baseline | None:
        if not self.settings.baseline_s:
            return None
        settings = self.settings
        baseline = Baseline(self.backend, self.town.keyspace, settings.users, settings.seed)
        stack.enter_context(baseline)
        baseline.measure(_WARM_S)
        self._measure_bare(baseline)
        return baseline

    def _measure_bare(self, baseline: Baseline) -> None:
        rate = baseline.measure(self.settings.baseline_s)
        self.made.baseline.append(rate)
        self.say(f"a bare client inserts {rate:,.0f} rows/s")

    def _start(self) -> None:
        town, settings = self.town, self.settings
        town.prepare()
        if town.topics is not None:  # it would read everything a second time
            town.topics.close()
            town.topics = None
        now = lambda: town.clock.now  # noqa: E731
        wall_ms = town.clock.wall_ms
        requests = Requests(settings.users, town.stream("load/requests"), wall_ms)
        times = town.stream("load/arrivals")
        self._sender = self._make_sender(requests, times, now)
        self._follower = Follower(
            self.backend, town.group, settings.partitions, self.samples, now, town.clock.epoch_ns
        )
        town.start_programs()
        if not town.run_until(self._ready, _PATIENCE):
            last = "\n".join(
                f"{each.label}: " + "\n".join(each.stderr)[-500:] for each in town.programs[-3:]
            )
            raise Infrastructure(f"not all programs were ready in 90 s:\n{last}")
        self._follower.start()

    def _make_sender(
        self, requests: Requests, times: random.Random, now: Callable[[], int]
    ) -> Sender:
        if self.settings.through == "topic":
            return ThroughTopic(self.backend, self.samples, requests, times, now)
        return ThroughHttp(
            self._gateways,
            OPERATOR_KEY,
            self.settings.connections,
            self.samples,
            requests,
            times,
            now,
        )

    def _gateways(self) -> list[Address]:
        names = self.town.deployment.gateways
        return [Address(*self.town.gateway(name)) for name in names]

    def _ready(self) -> bool:
        said = (
            (program := self.town.living(name)) is not None and program.said(_READY[role])
            for role, names in self.town.deployment.roles
            for name in names
        )
        return all(said) and all(self._serves(address) for address in self._gateways())

    def _serves(self, address: Address) -> bool:
        line = Connection(lambda: (address.host, address.port))
        answer = line.request("GET", "/readyz", "", b"", SECOND)
        line.hang_up()
        return answer is not None and answer.status == 200

    # -- under load ----------------------------------------------------------------------------

    def _load(self) -> None:
        settings, made = self.settings, self.made
        if settings.bound_ms is not None:
            made.rate = self._search(settings.bound_ms)
            if not made.rate:
                made.unknown.append("no rate held the bound: there is nothing to measure")
                return
        lasts_ns = round((settings.warm_up_s + settings.lasts_s) * SECOND)
        warm_ns = round(settings.warm_up_s * SECOND)
        self.say(f"{made.rate:,.0f} requests/s for {lasts_ns / SECOND:g} s")
        made.begin_ns = self.town.clock.now
        made.window = Window(made.begin_ns + warm_ns, made.begin_ns + lasts_ns)
        self.sender.start(Burst(rate=made.rate, lasts_ns=lasts_ns, spacing=settings.spacing))
        self.nemesis.unleash()
        self._until(lambda: self.town.clock.now >= made.window.begin_ns, lasts_ns)
        self.meter.begin(self._processes())
        self._until(lambda: self.town.clock.now >= made.window.end_ns, lasts_ns)
        self.meter.look(self._processes())
        made.usage = self.meter.end()
        harm_ends = made.begin_ns + max((s.at + s.lasts for s in self.town.plan), default=0)
        self._until(lambda: self.town.clock.now >= harm_ends, 600 * SECOND)

    def _search(self, bound_ms: float) -> float:
        search = Search(rate=self.settings.rate)
        while search.rate is not None:
            trial = self._try(search.rate, bound_ms)
            self.made.trials.append(trial)
            self.say(
                f"tried {trial.rate:,.0f}/s: p99 {trial.p99_ms:,.0f} ms,"
                f" {'held' if trial.held else trial.why}"
            )
            search.tried(held=trial.held)
        return search.held

    def _try(self, rate: float, bound_ms: float) -> Trial:
        lasts_ns = round(self.settings.trial_s * SECOND)
        begun = self.town.clock.now
        self.sender.start(Burst(rate=rate, lasts_ns=lasts_ns, spacing=self.settings.spacing))
        self._until(lambda: not self.sender.sending and self.follower.caught_up, lasts_ns + _DRAIN)
        window = Window(begun + lasts_ns // 4, begun + lasts_ns)
        return figures.trial(self.samples, window, rate, bound_ms)

    def _until(self, done: Callable[[], object], bound_ns: int) -> bool:
        """Let the run go on, with an eye on everything that takes part."""

        def look() -> object:
            now = self.town.clock.now
            if now - self._metered_ns >= _METER:
                self._metered_ns = now
                self.meter.look(self._processes())
                trouble = self.sender.trouble or self.follower.trouble
                if trouble:
                    raise Infrastructure(f"the load cannot go on: {trouble}")
            return done()

        return self.town.run_until(look, bound_ns)

    def _processes(self) -> Iterator[tuple[str, int]]:
        for program in self.town.programs:
            if program.alive:
                yield program.name, program.pid
        for server in self.backend.servers:
            if server.pid is not None:
                yield server.name, server.pid
        yield "load generator", os.getpid()

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
        finally:
            self._close()
        made.end_ns = town.clock.now
        made.answers = dict(self.sender.answers)
        made.bands = tuple(self._bands())
        if not made.interrupted:  # else nobody has waited for them
            made.breaks += reconciled.missing(self.samples)
        made.notes += [f"{label} was killed: it did not stop in time" for label in town.stop()]

    def _close(self) -> None:
        if self._sender is not None:
            self._sender.stop(_HURRY / SECOND)
        if self._follower is not None:
            self._follower.close()

    def _settle(self) -> None:
        town, made = self.town, self.made
        self.nemesis.heal()
        town.ground.release()
        town.servers.wait_until_all_up()
        if made.interrupted:
            self.sender.stop(_HURRY / SECOND)
            self._until(lambda: self.follower.caught_up, _HURRY)
            return
        done = lambda: not self.sender.sending and self.follower.caught_up  # noqa: E731
        settled = -1
        while self.samples.settled_count > settled:  # a backlog is no loss while it shrinks
            settled = self.samples.settled_count
            if self._until(done, town.scenario.settles_ns):
                return

    def _reconcile(self) -> None:
        town, made = self.town, self.made
        self.say(f"reconciling {len(self.samples):,} requests")
        bound_s = town.scenario.settles_ns / SECOND
        logs = [town.site.data(core) for core in town.deployment.cores]
        began = time.monotonic()
        try:
            found = reconciled.outcome(self.backend, town.group, town.keyspace, logs, bound_s)
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
