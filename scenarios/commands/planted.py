"""``wavetank controls``: plant each bug, and show which invariant catches it and how fast."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median

import click

from scenarios import catalog
from scenarios import controls as planted_bugs
from scenarios.errors import UsageError
from scenarios.hunt import hunt
from scenarios.results import Result
from scenarios.scenario import Scenario


def table(seeds: int, campaigns: int, only: tuple[str, ...], jobs: int) -> int:
    """Print a row for each control, then whether the sound system holds on the same seeds.

    Return 1 if a control was not caught, or if the sound system was broken.
    """
    names = chosen(only)
    click.echo(f"{'control':<28}{'caught by':<12}{'others':<32}seeds needed: median, worst")
    missed = [name for name in names if not _row(name, seeds, campaigns, jobs)]
    if missed:
        click.echo(f"NOT CAUGHT within {seeds} seeds: {', '.join(missed)}")
    sound = [_is_sound(base, seeds, jobs) for base in _bases(names)]
    return 0 if all(sound) and not missed else 1


def chosen(only: tuple[str, ...]) -> Sequence[str]:
    """Return the controls named, all if none is; `UsageError` if one does not exist."""
    names = planted_bugs.names()
    for name in only:
        if name not in names:
            raise UsageError(f"no control is called {name!r} (wavetank list --controls)")
    return only or names


def _bases(names: Sequence[str]) -> list[str]:
    """Return the scenarios into which the bugs were planted."""
    planted = [catalog.find(name) for name in names]
    return [
        name
        for name in catalog.names()
        if name not in planted_bugs.names()
        and any(_differs_in_programs_only(catalog.find(name), control) for control in planted)
    ]


def _differs_in_programs_only(sound: Scenario, control: Scenario) -> bool:
    told = {"name", "story", "expect", "sometimes"}
    same = {name: getattr(sound, name) for name in told}
    return not sound.programs and replace(control, programs=(), **same) == sound


def _is_sound(name: str, seeds: int, jobs: int) -> bool:
    campaign = hunt(name, iter(seeds_of(seeds, 0)), jobs=jobs)
    if campaign.interrupted:
        raise KeyboardInterrupt
    verdicts = ", ".join(f"{n} {verdict}" for verdict, n in sorted(campaign.verdicts.items()))
    click.echo(f"sound system, {name}, the seeds of the first campaign: {verdicts}")
    return campaign.verdicts["held"] == seeds


def _row(name: str, seeds: int, campaigns: int, jobs: int) -> bool:
    """Run one control until caught, in each campaign; print its row."""
    expected = catalog.find(name).expect
    needed: list[int] = []
    by: dict[str, int] = {}
    for campaign in range(campaigns):
        found = first_catch(name, seeds, campaign, jobs)
        if found is None:
            click.echo(f"{name:<28}NOT CAUGHT in campaign {campaign + 1} of {campaigns}")
            return False
        number, result = found
        needed.append(number)
        for invariant in {b.invariant for b in result.breaks}:
            by[invariant] = by.get(invariant, 0) + 1
    named = [i for i in expected if i in by]
    others = sorted(set(by) - set(named))
    caught = max(named, key=lambda i: by[i]) if named else "-"
    rest = " ".join([i for i in named if i != caught] + others)
    click.echo(f"{name:<28}{caught:<12}{rest:<32}{median(needed):g}, {max(needed)}")
    return bool(named)


def first_catch(name: str, seeds: int, campaign: int, jobs: int) -> tuple[int, Result] | None:
    """Return how many seeds it took until an expected invariant broke, and the result."""
    return next(catches(name, seeds, campaign, jobs), None)


def catches(name: str, seeds: int, campaign: int, jobs: int) -> Iterator[tuple[int, Result]]:
    """Yield the results in which an expected invariant broke, each with its place among `seeds`."""
    expected = catalog.find(name).expect
    order = seeds_of(seeds, campaign)
    width = max(jobs * 4, 8)
    for start in range(0, seeds, width):
        chunk = order[start : start + width]
        found: list[Result] = []
        if hunt(name, iter(chunk), jobs=jobs, keep_results=found).interrupted:
            raise KeyboardInterrupt
        by_seed = {result.seed: result for result in found}
        for number, seed in enumerate(chunk, start + 1):
            result = by_seed.get(seed)
            if result is not None and any(b.invariant in expected for b in result.breaks):
                yield number, result


def seeds_of(number: int, campaign: int) -> list[int]:
    """Return the seeds of a campaign, the same for every control and for the sound system."""
    draw = random.Random(f"controls/{campaign}")
    return [draw.randrange(1, 2**31) for _ in range(number)]
