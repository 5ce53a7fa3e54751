"""``wavetank load``: a load on real processes, measured, reconciled, kept and shown."""

import re
import shlex
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from reports import folder as folders
from reports.folder import FolderError
from reports.load import Baseline, Load
from reports.pages import live
from reports.pages import load as pages
from scenarios import catalog, plan_checks, plan_text
from scenarios.backends.base import Backend
from scenarios.commands import campaigns, real, running
from scenarios.commands.live import living
from scenarios.errors import Infrastructure, UsageError
from scenarios.load import course, figures, histograms, told
from scenarios.load.baseline import CONCURRENCY
from scenarios.load.made import Made
from scenarios.load.settings import CONNECTIONS, SECOND, TRIAL_S, Settings
from scenarios.scenario import Plan, Scenario, Step

_INTERRUPTED = 130
_BASELINE_S = 8.0  # each time, before and after
_LASTS_S = 1.0  # of a fault whose end nobody names


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """Which faults there are to be: those of a plan, or some with their times in seconds."""

    plan: str | None = None
    faults: tuple[str, ...] = ()
    at_s: tuple[float, ...] = ()
    lasts_s: tuple[float, ...] = ()

    def steps(self) -> Plan | None:
        """Return the plan; None leaves it to the scenario."""
        if self.plan is not None:
            if self.faults:
                raise UsageError("--plan and --fault exclude each other: give one of them")
            return plan_text.read(self.plan)
        if not self.faults:
            if self.at_s or self.lasts_s:
                raise UsageError("--at and --lasts are about --fault: give one, too")
            return None
        ats = self._each("--at", self.at_s)
        lasts = self._each("--lasts", self.lasts_s or (_LASTS_S,) * len(ats))
        for option, given in (("--at", ats), ("--lasts", lasts)):
            for seconds in given:
                if not 0 <= seconds < float("inf"):
                    raise UsageError(f"{option} {seconds:g}: it must not be less than 0")
        return tuple(
            Step(fault=plan_text.fault(text), at=round(at * SECOND), lasts=round(long * SECOND))
            for text, at, long in zip(self.faults, ats, lasts, strict=True)
        )

    def _each(self, option: str, given: Sequence[float]) -> Sequence[float]:
        if len(given) != len(self.faults):
            raise UsageError(
                f"{len(self.faults)} --fault and {len(given)} {option}: each fault needs its own,"
                " in the same order"
            )
        return given


def settings(*, search: bool, p99: str | None, trial: float | None, **given: Any) -> Settings:
    """Return what the options of the command say; those not named here are as in `Settings`."""
    if search != (p99 is not None):
        raise UsageError("--search and --p99 belong together: --search --p99 200ms")
    if trial is not None and not search:
        raise UsageError("--trial is about --search: give that, too")
    connections = given.pop("connections")
    if connections is not None and given.get("through") == "topic":
        raise UsageError("--connections is about --through http; the topic needs none")
    return Settings(
        lasts_s=given.pop("duration"),
        warm_up_s=given.pop("warm_up"),
        spacing="fixed" if given.pop("fixed") else "poisson",
        baseline_s=_BASELINE_S if given.pop("baseline") else 0.0,
        bound_ms=None if p99 is None else _milliseconds(p99),
        trial_s=TRIAL_S if trial is None else trial,
        connections=connections or CONNECTIONS,
        told=told.told(given.pop("told", ())),
        **given,
    )


def _milliseconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s)", text.strip())
    if found is None:
        raise UsageError(f"--p99 {text}: write a time such as 200ms or 1.5s")
    return float(found[1]) * (1000 if found[2] == "s" else 1)


def run(
    name: str | None, settings: Settings, harm: Harm, wish: real.Wish, runs: str, *, report: bool
) -> int:
    """Put the load on, judge, keep and show it; return the exit code."""
    scenario = _scenario(name)
    settings, plan = replace(settings, faults_needed=bool(harm.faults)), harm.steps()
    if plan is not None and settings.faults_needed:
        plan_checks.check(plan, course.deployed(scenario, settings).deployment)
    place = campaigns.room(runs, scenario.name, "load") if report else None
    load, died, folder = _made(scenario, settings, plan, wish, runs, place)
    click.echo(pages.summary(load, str(folder or "")))
    if died:
        why, _, _ = died.partition(";")
        raise Infrastructure(f"the load ended early: {why}")
    return _INTERRUPTED if load.interrupted else running.code(load.verdict)


def _made(
    scenario: Scenario,
    settings: Settings,
    plan: Plan | None,
    wish: real.Wish,
    runs: str,
    place: Path | None,
) -> tuple[Load, str, Path | None]:
    with living(Path(runs, scenario.name), "load") as live_folder:
        with real.servers(wish, live_folder / real.SERVERS) as backend:
            made = course.run(
                settings,
                scenario,
                backend,
                live_folder,
                plan=plan,
                destroy=wish.destroy,
                say=real.say,
            )
            load = _load(scenario, settings, backend, made)
        folder = None if place is None else campaigns.made(place)
        if folder is not None:
            _keep(folder, load, made, real.written(live_folder, "data"))
    return load, made.died, folder


def _scenario(name: str | None) -> Scenario:
    """Return the scenario whose programs and plan are used; none: the programs as they are."""
    if name is not None:
        return catalog.find(name)
    plain = catalog.find("nine_deposits")
    return replace(plain, name="load", story="Many users at once.")


def _load(scenario: Scenario, settings: Settings, backend: Backend, made: Made) -> Load:
    samples, window = made.samples, made.window
    if (made.interrupted or made.died) and made.begin_ns:
        window = figures.Window(window.begin_ns, min(window.end_ns, made.stopped_ns))
    settled_s, rows_s = figures.settled(samples, window)
    versions = ", ".join(f"{name} {version}" for name, version in backend.versions.items())
    nodes = len(backend.nodes)
    return Load(
        name=scenario.name,
        verdict=made.verdict,
        servers=f"{backend.kind}, {nodes} {'node' if nodes == 1 else 'nodes'} each: {versions}",
        command=shlex.join(["wavetank", *sys.argv[1:]]),
        through=settings.through,
        spacing=settings.spacing,
        rate=made.rate,
        seed=settings.seed,
        users=settings.users,
        instances=made.instances,
        warm_up_s=settings.warm_up_s,
        measured_s=window.lasts_s if made.begin_ns else 0.0,
        offered_s=figures.offered(samples, window),
        settled_s=settled_s,
        rows_s=rows_s,
        whole=figures.whole(samples, made.begin_ns),
        counts=figures.counts(samples, made.answers),
        latencies=figures.latencies(samples, window),
        slices=figures.slices(samples, made.begin_ns, made.end_ns) if made.begin_ns else (),
        usage=made.usage,
        machine=made.machine,
        bands=made.bands,
        untested=made.untested,
        trials=tuple(made.trials),
        bound_ms=settings.bound_ms,
        baseline=_baseline(made),
        breaks=tuple(made.breaks),
        unknown=tuple(made.unknown),
        notes=tuple(made.notes),
        interrupted=made.interrupted,
        outcome=made.outcome,
    )


def _baseline(made: Made) -> Baseline | None:
    return Baseline(rows_s=tuple(made.baseline), concurrency=CONCURRENCY) if made.baseline else None


def _keep(folder: Path, load: Load, made: Made, extra: dict[str, bytes]) -> None:
    samples = made.samples
    numbers = list(samples.within(made.window.begin_ns, made.window.end_ns))
    files = {
        "report.html": pages.page(load, str(folder)).encode(),
        "report.txt": pages.summary(load, str(folder)).encode(),
        "load.json": pages.as_json(load),
        plan_text.PLAN: plan_text.source(made.plan).encode(),
        **extra,
    }
    for name, found in histograms.of_stages(samples, numbers).items():
        files[f"latency/{name}.hgrm"] = histograms.percentile_distribution(found)
    if load.outcome is not None:
        files["reconcile.json"] = live.as_json(load.outcome, load.name)
    try:
        folders.write_files(folder, files)
    except FolderError as error:
        with suppress(OSError):
            folder.rmdir()
        raise Infrastructure(str(error)) from None
