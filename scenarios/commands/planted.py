"""``wavetank controls``: plant each bug, and show which invariant catches it and how fast."""

import random
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

import click

from scenarios import catalog
from scenarios import controls as planted_bugs
from scenarios.errors import Infrastructure, unknown
from scenarios.hunt import Campaign, hunt
from scenarios.results import Result
from scenarios.scenario import Scenario

_WIDE = 24  # of what a row says of the seeds


def table(seeds: int, campaigns: int, only: tuple[str, ...], jobs: int) -> int:
    """Print a row for each control, then whether the sound system holds on the same seeds.

    Return 1 if a control was not caught or the sound system was broken, 3 if a sound run came to
    no verdict.
    """
    names = chosen(only)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends us gets what is there
    found = _Table(seeds, campaigns, jobs, max(map(len, names)) + 2)
    _say(found.line("control", "caught by", "seeds: median, worst", "broken as well"))
    try:
        missed = [name for name in names if not found.row(name)]
        if missed:
            _say(f"NOT CAUGHT within {seeds} seeds: {', '.join(missed)}")
        return max([1 if missed else 0, *map(found.sound, list(found.used))])
    except KeyboardInterrupt:
        _say(
            f"interrupted: {found.rows} of {len(names)} controls are above, "
            "and what is not above was not looked at"
        )
        raise


def chosen(only: tuple[str, ...]) -> Sequence[str]:
    """Return the controls named, all if none is; `UsageError` if one does not exist."""
    names = planted_bugs.names()
    for name in only:
        if name not in names:
            raise unknown("control", name, names, "wavetank list --controls")
    return list(dict.fromkeys(only)) or names


@dataclass(slots=True)
class _Table:
    seeds: int
    campaigns: int
    jobs: int
    width: int
    rows: int = 0
    used: dict[str, dict[int, None]] = field(default_factory=dict)  # seeds by story

    def line(self, name: str, caught: str, seeds: str, others: str) -> str:
        return f"{name:<{self.width}}{caught:<12}{seeds:<{_WIDE}}{others}".rstrip()

    def row(self, name: str) -> bool:
        """Run one control until caught, in each campaign; print its row."""
        needed: list[int] = []
        by: dict[str, int] = {}
        for campaign in range(self.campaigns):
            doing = f"{name}, campaign {campaign + 1} of {self.campaigns}"
            found = first_catch(name, self.seeds, campaign, self.jobs, _progress(doing))
            self._use(name, seeds_of(self.seeds, campaign)[: found[0] if found else None])
            if found is None:
                _say(self.line(name, "NOT CAUGHT", f"{self.seeds} of {doing}", ""))
                self.rows += 1
                return False
            number, result = found
            needed.append(number)
            for invariant in {b.invariant for b in result.breaks}:
                by[invariant] = by.get(invariant, 0) + 1
        self.rows += 1
        named = [i for i in catalog.find(name).expect if i in by]
        caught = max(named, key=lambda i: by[i])
        others = [i for i in named if i != caught] + sorted(set(by) - set(named))
        _say(self.line(name, caught, f"{median(needed):g}, {max(needed)}", " ".join(others)))
        return True

    def _use(self, control: str, seeds: Sequence[int]) -> None:
        story = story_of(catalog.find(control))
        self.used.setdefault(story, {}).update(dict.fromkeys(seeds))

    def sound(self, story: str) -> int:
        """Play a story with the system as it is, on the seeds on which bugs were planted in it."""
        seeds = self.used[story]
        campaign = hunt(
            story, iter(seeds), jobs=self.jobs, progress=_progress(f"sound system, {story}")
        )
        _checked(campaign)
        verdicts = ", ".join(f"{n} {verdict}" for verdict, n in sorted(campaign.verdicts.items()))
        _say(f"sound system, {story}, the same seeds: {verdicts}")
        for result in campaign.failures[:3]:
            _say(f"  wavetank run {story} --seed {result.seed}")
        if campaign.verdicts["held"] == len(seeds):
            return 0
        return 1 if campaign.verdicts["broken"] else 3


def story_of(control: Scenario) -> str:
    """Return the story into which a bug was planted."""
    bugs = planted_bugs.names()
    stories = (name for name in catalog.names() if name not in bugs)
    return next(s for s in stories if _differs_in_programs_only(catalog.find(s), control))


def _differs_in_programs_only(sound: Scenario, control: Scenario) -> bool:
    told = {"name", "story", "expect", "sometimes", "settles_ns"}
    same = {name: getattr(sound, name) for name in told}
    return not sound.programs and replace(control, programs=(), **same) == sound


def first_catch(
    name: str,
    seeds: int,
    campaign: int,
    jobs: int,
    progress: Callable[[Campaign], None] = lambda _: None,
) -> tuple[int, Result] | None:
    """Return how many seeds it took until an expected invariant broke, and the result."""
    expected = catalog.find(name).expect
    order = seeds_of(seeds, campaign)
    found: list[Result] = []

    def until_caught() -> Iterator[int]:
        for seed in order:
            if any(_caught(result, expected) for result in found):
                return
            yield seed

    _checked(hunt(name, until_caught(), jobs=jobs, keep_results=found, progress=progress))
    caught = {result.seed: result for result in found if _caught(result, expected)}
    return next(((n, caught[seed]) for n, seed in enumerate(order, 1) if seed in caught), None)


def _caught(result: Result, expected: Sequence[str]) -> bool:
    return any(b.invariant in expected for b in result.breaks)


def _checked(campaign: Campaign) -> None:
    """Go on only if the workers did: no seed that was never played says anything about a bug."""
    if campaign.interrupted:
        raise KeyboardInterrupt
    if campaign.hopeless:
        raise Infrastructure(campaign.hopeless)


def catches(name: str, seeds: int, campaign: int, jobs: int) -> Iterator[tuple[int, Result]]:
    """Yield the results in which an expected invariant broke, each with its place among `seeds`."""
    expected = catalog.find(name).expect
    order = seeds_of(seeds, campaign)
    start, width = 0, jobs  # most bugs show at the first seed, some are rare
    while start < seeds:
        chunk = order[start : start + width]
        found: list[Result] = []
        _checked(hunt(name, iter(chunk), jobs=jobs, keep_results=found))
        by_seed = {result.seed: result for result in found}
        for number, seed in enumerate(chunk, start + 1):
            result = by_seed.get(seed)
            if result is not None and _caught(result, expected):
                yield number, result
        start, width = start + width, min(2 * width, 16 * jobs)


def seeds_of(number: int, campaign: int) -> list[int]:
    """Return the seeds of a campaign, the same for every control and for the sound system."""
    draw = random.Random(f"controls/{campaign}")
    return [draw.randrange(1, 2**31) for _ in range(number)]


def _say(text: str) -> None:
    """Write a line of the table, over what was shown of its making."""
    if sys.stderr.isatty():
        click.echo("\r\033[K", nl=False, err=True)
    click.echo(text)


def _progress(doing: str) -> Callable[[Campaign], None]:
    """Return what shows, to somebody who watches, how far it has come."""

    def show(campaign: Campaign) -> None:
        if sys.stderr.isatty():
            text = f"{doing}: {campaign.seeds} played"
            click.echo(f"\r\033[K{text[:78]}", nl=False, err=True)

    return show
