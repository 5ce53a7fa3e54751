"""``wavetank controls --stage real``: the plans that catch a bug in simulation, played for real.

Every sound story must hold on both stages, every planted bug break on both: a table of all. A bug
that no plan catches in simulation either, once the faults without a counterpart are left out, has
none itself: the table says which faults it hangs on, or what a control says of itself. What was
interrupted goes on where it stopped.
"""

import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import click
import msgspec

from scenarios import catalog
from scenarios import controls as planted_bugs
from scenarios.backends.base import Backend
from scenarios.commands import hunting_real, planted, promising, real
from scenarios.commands.live import living
from scenarios.commands.real_rows import Measured, Row, Rows, measured
from scenarios.errors import Infrastructure, unknown
from scenarios.hunt import hunt
from scenarios.results import Result
from scenarios.stages.real.counterpart import Setting

_WORDS = "{:<32}{:<28}{:<28}{}"
_RUNS = "runs: seeds (how many other seeds catch it with this plan, judged as for real)"
_HOPELESS = 3  # so many runs in a row without a verdict: it is not the seeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How many seeds are tried in simulation, and how many runs are made on the real stage.

    A bug gets `seeds` and at most `attempts`; a sound story is played with `sound` seeds on both.
    """

    seeds: int
    attempts: int
    sound: int
    jobs: int


def table(asked: Asked, only: tuple[str, ...], runs: str, wish: real.Wish) -> int:
    """Print a row for each control and story; 1 if a bug was not caught or a story broken."""
    every = catalog.names()
    names = chosen(only)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends us gets what is there
    with living(Path(runs), "controls") as home, real.servers(wish, home) as backend:
        kept = Rows(runs, _measured(asked, backend))
        click.echo(f"{kept.about}\n")
        real_kind = f"real: {backend.kind}, {len(backend.nodes)}"
        click.echo(_WORDS.format("control or story", "simulated", real_kind, _RUNS))
        player = _Player(asked, runs, wish, backend)
        try:
            rows = [_row(name, kept, player) for name in names]
        except (KeyboardInterrupt, Infrastructure):
            done = sum(kept.find(name) is not None for name in names)
            click.echo(f"{done} of {len(names)} rows stand; the same command goes on from there")
            raise
        finally:
            page = kept.write(every)
    failed = [row.name for row in rows if not row.right]
    if failed:
        click.echo(f"NOT AS IT MUST BE within {asked.attempts} real runs: {', '.join(failed)}")
    click.echo(f"\n  table  {page}")
    return 1 if failed else 0


def chosen(only: tuple[str, ...]) -> Sequence[str]:
    """Return the controls and stories to play, all if none is named, bugs first."""
    every = catalog.names()
    for name in only:
        if name not in every:
            raise unknown("control or story", name, every, "wavetank list --controls")
    bugs = planted_bugs.names()
    stories = [name for name in every if name not in bugs]
    return [name for name in (*bugs, *stories) if name in only or not only]


def _measured(asked: Asked, backend: Backend) -> Measured:
    versions = ", ".join(f"{name} {version}" for name, version in backend.versions.items())
    servers = f"{backend.kind}, {len(backend.nodes)} of each ({versions})"
    return measured(servers, backend.wished, asked.seeds, asked.attempts, asked.sound)


def _row(name: str, kept: Rows, player: "_Player") -> Row:
    """Return the row that stands, or make it."""
    row = kept.find(name)
    if row is None:
        began = time.monotonic()
        row = player.play(name)
        row = msgspec.structs.replace(row, seconds=round(time.monotonic() - began))
        kept.keep(row)
    runs = f"{len(row.runs)}: {' '.join(row.runs)}" if row.runs else ""
    click.echo(_WORDS.format(row.name, row.simulated, row.real, runs).rstrip())
    return row


@dataclass(frozen=True, slots=True)
class _Player:
    asked: Asked
    runs: str
    wish: real.Wish
    backend: Backend

    def play(self, name: str) -> Row:
        """Play a bug or a story on both stages."""
        return self._bug(name) if name in planted_bugs.names() else self._story(name)

    def _bug(self, name: str) -> Row:
        """Play the plans that catch the bug in simulation, until one catches it for real."""
        asked, scenario = self.asked, catalog.find(name)
        where = Setting.of(scenario.deployment, self.backend)
        search = promising.Search(name, where, asked.seeds, asked.jobs)
        caught, played = "", list[str]()
        for plan in islice(cycle(search), asked.attempts):
            played.append(f"{plan.seed} ({plan.caught}/{plan.tries})")
            caught = promising.broken(self._run(name, plan.seed), scenario.expect)
            if caught:
                break
        simulated, lacks = _simulated(search, asked.seeds)
        return Row(
            name=name,
            kind="control",
            planted_in=planted.story_of(scenario),
            simulated=simulated,
            real=caught or (f"no counterpart: {lacks}" if lacks else "NOT CAUGHT"),
            runs=tuple(played),
            right=bool(caught or lacks),
        )

    def _story(self, name: str) -> Row:
        """Play a sound story on both stages."""
        seeds = planted.seeds_of(self.asked.sound, 0)
        campaign = hunt(name, iter(seeds), jobs=self.asked.jobs)
        if campaign.interrupted:
            raise KeyboardInterrupt
        verdicts = [self._run(name, seed).verdict for seed in seeds]
        held = verdicts.count("held")
        return Row(
            name=name,
            kind="story",
            simulated=f"{campaign.verdicts['held']} of {len(seeds)} held",
            real=f"{held} of {len(seeds)} held",
            runs=tuple(map(str, seeds)),
            right=held == len(seeds) == campaign.verdicts["held"],
        )

    def _run(self, name: str, seed: int) -> Result:
        """Play one seed with real processes; what kept a run from its end is no verdict on it."""
        scenario, error = catalog.find(name), ""
        for _ in range(_HOPELESS):
            result = hunting_real.play(scenario, seed, self.backend, self.runs, self.wish)
            if not result.error:
                return result
            error = result.error
            click.echo(f"wavetank: {name}, seed {seed}: {error}", err=True)
        raise Infrastructure(f"{name}, seed {seed}, {_HOPELESS} times: {error}")


def _simulated(search: promising.Search, seeds: int) -> tuple[str, str]:
    """Return how simulation caught a bug, and on which faults without counterpart that hangs."""
    if not search.tried:
        return f"not in {seeds} seeds", ""
    first = search.tried[0]
    hangs_on = {why for plan in search.tried for why in plan.hangs_on}
    sure = any(plan.possible for plan in search.tried)
    return f"{first.by}, seed {first.number}", "" if sure else "; ".join(sorted(hangs_on))
