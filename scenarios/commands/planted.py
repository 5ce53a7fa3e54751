"""``wavetank controls``: plant each bug, and show which invariant catches it and how fast."""

import random
from statistics import median

import click

from scenarios import catalog
from scenarios import controls as planted_bugs
from scenarios.errors import UsageError
from scenarios.hunt import hunt
from scenarios.results import Result


def table(seeds: int, campaigns: int, only: tuple[str, ...], jobs: int) -> int:
    """Print a row for each control; return 1 if one was not caught."""
    names = planted_bugs.names()
    for name in only:
        if name not in names:
            raise UsageError(f"no control is called {name!r} (wavetank list --controls)")
    click.echo(f"{'control':<28}{'caught by':<12}{'others':<22}seeds needed: median, worst")
    missed = [name for name in only or names if not _row(name, seeds, campaigns, jobs)]
    if missed:
        click.echo(f"NOT CAUGHT within {seeds} seeds: {', '.join(missed)}")
    return 1 if missed else 0


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
    click.echo(f"{name:<28}{caught:<12}{rest:<22}{median(needed):g}, {max(needed)}")
    return bool(named)


def first_catch(name: str, seeds: int, campaign: int, jobs: int) -> tuple[int, Result] | None:
    """Return how many seeds it took until an expected invariant broke, and the result."""
    expected = catalog.find(name).expect
    draw = random.Random(f"{name}/{campaign}")
    order = [draw.randrange(1, 2**31) for _ in range(seeds)]
    width = max(jobs * 4, 8)
    for start in range(0, seeds, width):
        chunk = order[start : start + width]
        found: list[Result] = []
        hunt(name, iter(chunk), jobs=jobs, keep_results=found)
        by_seed = {result.seed: result for result in found}
        for number, seed in enumerate(chunk, start + 1):
            result = by_seed.get(seed)
            if result is not None and any(b.invariant in expected for b in result.breaks):
                return number, result
    return None
