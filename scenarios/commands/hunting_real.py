"""``wavetank hunt --stage real``: seed after seed with real processes, on servers kept for all."""

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec

from scenarios import catalog
from scenarios.backends.base import Backend
from scenarios.commands import campaigns, hunting, real
from scenarios.commands.live import FAILED, keep_logs, living, renamed
from scenarios.errors import Infrastructure
from scenarios.hunt import Campaign
from scenarios.results import Result
from scenarios.scenario import Scenario
from scenarios.stages.outcome import outcome
from scenarios.stages.real import stage

_DEFAULT_SEEDS = 10
_HOPELESS = 3  # so many runs in a row without a verdict: it is not the seeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """When a hunt has enough: after so many seeds, minutes, or programs killed."""

    first: int = 1
    seeds: int | None = None
    minutes: float | None = None
    kills: int | None = None

    def order(self) -> Iterator[int]:
        """Return the seeds to try, in order."""
        if self.minutes or self.kills:
            return itertools.count(self.first)
        return iter(range(self.first, self.first + (self.seeds or _DEFAULT_SEEDS)))

    def reached(self, campaign: Campaign) -> bool:
        """Whether it is enough."""
        if self.minutes and time.monotonic() - campaign.started > self.minutes * 60:
            return True
        return bool(self.kills) and campaign.killed.total() >= (self.kills or 0)


def hunt(name: str, bound: Bound, runs: str, wish: real.Wish) -> int:
    """Hunt, summarise, keep every run that did not hold; return the exit code."""
    scenario = catalog.find(name)
    place = campaigns.room(runs, name)
    campaign = Campaign(name, time.monotonic(), 1)
    try:
        with (
            living(Path(runs, name), "hunt") as home,
            real.servers(wish, home / real.SERVERS) as backend,
        ):
            campaign.servers = backend.wished
            campaign.started = time.monotonic()
            _run_all(_Hunt(scenario, backend, runs, wish), bound, campaign)
            if campaign.died:
                _keep_logs(campaign, home, Path(runs, name, f"hunt-{FAILED}"))
    except KeyboardInterrupt:
        campaign.interrupted = True
    click.echo(hunting.summary(scenario, campaign))
    failures = campaigns.groups(scenario, campaign)
    page = campaigns.write(campaigns.made(place), scenario, campaign, failures)
    for group in failures:
        click.echo(f"\n  {group.invariant} {group.code}: {group.text}\n    {group.command}")
    click.echo(f"\n  campaign  {page}")
    if campaign.hopeless:
        click.echo(f"wavetank: {campaign.hopeless}", err=True)
    return hunting.code(campaign)


def _keep_logs(campaign: Campaign, home: Path, folder: Path) -> None:
    """Keep what servers of the hunt's own wrote, and say so where their logs are named."""
    logs = keep_logs(home, folder)
    campaign.hopeless = renamed(campaign.hopeless, logs)
    campaign.failures = [
        msgspec.structs.replace(result, error=renamed(result.error, logs))
        for result in campaign.failures
    ]


@dataclass(frozen=True, slots=True)
class _Hunt:
    scenario: Scenario
    backend: Backend
    runs: str
    wish: real.Wish


def _run_all(what: _Hunt, bound: Bound, campaign: Campaign) -> None:
    for seed in bound.order():
        result = play(what.scenario, seed, what.backend, what.runs, what.wish)
        campaign.add(result)
        campaign.unanswered = campaign.unanswered + 1 if result.error else 0
        campaign.died += bool(result.error)
        killed = f", {campaign.killed.total()} programs killed so far" if campaign.killed else ""
        click.echo(
            f"wavetank: seed {seed} {result.verdict} after {campaign.real_s:.0f} s{killed}",
            err=True,
        )
        if campaign.unanswered >= _HOPELESS:
            campaign.hopeless = f"{_HOPELESS} runs in a row had no verdict: {result.error}"
        if campaign.hopeless or bound.reached(campaign):
            return


def play(scenario: Scenario, seed: int, backend: Backend, runs: str, wish: real.Wish) -> Result:
    """Play one seed and return its result; a run that did not hold is kept in `runs`.

    What kept a run from its end is a result, too; an interruption is raised.
    """
    try:
        with living(Path(runs, scenario.name), f"{seed}-real") as live:
            made = stage.run(scenario, seed, backend, live, destroy=wish.destroy)
            if made.interrupted:
                raise KeyboardInterrupt
            result = outcome(scenario, made.plan, made.judgement, {})
            if result.verdict != "held":
                real.keep(made, runs, live)
            return result
    except Infrastructure as error:
        return Result(
            scenario=scenario.name, seed=seed, verdict="unknown", digest="", error=str(error)
        )
