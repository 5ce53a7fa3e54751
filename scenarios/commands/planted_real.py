"""``wavetank controls --stage real``: the plans that catch a bug in simulation, played for real.

Every sound story must hold on both stages, every planted bug break on both: a table of all. A bug
that no plan catches in simulation either, once the faults without a counterpart are left out, has
none itself: they are named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import click

from scenarios import catalog
from scenarios import controls as planted_bugs
from scenarios.backends.base import Backend
from scenarios.commands import hunting_real, planted, promising, real
from scenarios.errors import Infrastructure, unknown
from scenarios.hunt import hunt
from scenarios.results import Result
from scenarios.stages.real.counterpart import Setting

_WORDS = "{:<28}{:<26}{:<26}{}"
_RUNS = "runs: seeds (how many other seeds catch it with this plan, judged as for real)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How many seeds are tried in simulation, and how many runs are made on the real stage."""

    seeds: int
    attempts: int
    jobs: int


def table(asked: Asked, only: tuple[str, ...], runs: str, wish: real.Wish) -> int:
    """Print a row for each control and story; 1 if a bug was not caught or a story broken."""
    bugs, stories = _chosen(only)
    with real.living(Path(runs), "controls") as home, real.servers(wish, home) as backend:
        real_kind = f"real: {backend.kind}, {len(backend.nodes)}"
        click.echo(_WORDS.format("control or story", "simulated", real_kind, _RUNS))
        row = _Rows(asked, runs, wish, backend)
        failed = [name for name in bugs if not row.bug(name)]
        failed += [name for name in stories if not row.story(name)]
    if failed:
        click.echo(f"NOT AS IT MUST BE within {asked.attempts} real runs: {', '.join(failed)}")
    return 1 if failed else 0


def _chosen(only: tuple[str, ...]) -> tuple[Sequence[str], Sequence[str]]:
    """Return the bugs and the stories that are to be played."""
    bugs = planted_bugs.names()
    stories = [name for name in catalog.names() if name not in bugs]
    for name in only:
        if name not in (*bugs, *stories):
            raise unknown("control or story", name, (*bugs, *stories), "wavetank list --controls")
    return (
        [name for name in bugs if name in only or not only],
        [name for name in stories if name in only or not only],
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    asked: Asked
    runs: str
    wish: real.Wish
    backend: Backend

    def bug(self, name: str) -> bool:
        """Play the plans that catch the bug in simulation, until one catches it for real."""
        asked, scenario = self.asked, catalog.find(name)
        where = Setting.of(scenario.deployment, self.backend)
        search = promising.Search(name, where, asked.seeds, asked.jobs)
        caught, played = "", list[str]()
        for plan in islice(cycle(search), asked.attempts):
            played.append(f"{plan.seed} ({plan.caught}/{plan.tries})")
            caught = promising.broken(self._play(name, plan.seed), scenario.expect)
            if caught:
                break
        if not search.tried:
            self._say(name, f"not in {asked.seeds} seeds", "no plan to play", ())
            return False
        first = search.tried[0]
        simulated = f"{first.by}, seed {first.number} of {asked.seeds}"
        hangs_on = {kind for plan in search.tried for kind in plan.hangs_on}
        if not caught and all(plan.hangs_on and not plan.caught for plan in search.tried):
            self._say(name, simulated, f"no counterpart: {' '.join(sorted(hangs_on))}", played)
            return True
        self._say(name, simulated, caught or "NOT CAUGHT", played)
        return bool(caught)

    def story(self, name: str) -> bool:
        """Play a sound story on both stages."""
        seeds = planted.seeds_of(self.asked.seeds, 0)
        campaign = hunt(name, iter(seeds), jobs=self.asked.jobs)
        if campaign.interrupted:
            raise KeyboardInterrupt
        played = seeds[: self.asked.attempts]
        held = sum(self._play(name, seed).verdict == "held" for seed in played)
        simulated = f"{campaign.verdicts['held']} of {len(seeds)} held"
        self._say(name, simulated, f"{held} of {len(played)} held", [*map(str, played)])
        return held == len(played) and campaign.verdicts["held"] == len(seeds)

    def _play(self, name: str, seed: int) -> Result:
        scenario = catalog.find(name)
        result = hunting_real.play(scenario, seed, self.backend, self.runs, self.wish)
        if result.error:
            raise Infrastructure(f"{name}, seed {seed}: {result.error}")
        return result

    def _say(self, name: str, simulated: str, real_words: str, played: Sequence[str]) -> None:
        runs = f"{len(played)}: {' '.join(played)}" if played else ""
        click.echo(_WORDS.format(name, simulated, real_words, runs).rstrip())
