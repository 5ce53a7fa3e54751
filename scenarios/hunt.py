"""A hunt: many seeds of one scenario on all cores, until enough, until time is up, or Ctrl-C."""

import os
import selectors
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from scenarios import endings, results
from scenarios.leash import leashed
from scenarios.results import Result
from scenarios.worker import OUT_OF_MEMORY

_ROOT = Path(__file__).resolve().parent.parent
_AHEAD = 2  # seeds a worker has in hand, so that it never waits for us
_HOPELESS = 3  # so many workers dead in a row without an answer: it is not the seeds


@dataclass(slots=True)
class Campaign:
    """What a hunt has found so far; valid at every moment."""

    scenario: str
    started: float
    jobs: int
    seeds: int = 0
    real_s: float = 0.0
    interrupted: bool = False
    verdicts: Counter[str] = field(default_factory=Counter)
    planned: Counter[str] = field(default_factory=Counter)
    bitten: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    halts: Counter[str] = field(default_factory=Counter)
    seeds_bitten: int = 0
    crashes: int = 0
    operations: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    killed_starting: int = 0
    rows: int = 0
    moved: Counter[int] = field(default_factory=Counter)
    servers: str = ""  # on the real stage: of which kind, and how many
    virtual_ns: int = 0
    events: int = 0
    died: int = 0  # workers that ended before their time
    hopeless: str = ""  # why the hunt gave up, if it did
    unanswered: int = 0  # deaths since the last answer
    failures: list[Result] = field(default_factory=list)

    def add(self, result: Result) -> None:
        """Count one more seed."""
        self.seeds += 1
        self.verdicts[result.verdict] += 1
        self.planned.update(result.planned.keys())
        self.bitten.update(result.bitten.keys())
        self.reached.update(result.reached)
        self.halts.update(result.halts)
        self.seeds_bitten += bool(result.bitten)
        self.crashes += result.crashes
        self.operations += result.operations
        self.killed.update(result.killed)
        self.killed_starting += result.killed_starting
        self.rows += result.rows
        self.moved.update(result.moved)
        self.virtual_ns += result.virtual_ns
        self.events += result.events
        self.real_s = time.monotonic() - self.started
        if result.verdict != "held":
            self.failures.append(result)


class _Worker:
    def __init__(self, scenario: str, arguments: tuple[str, ...]) -> None:
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        self.process = subprocess.Popen(
            leashed([sys.executable, "-m", "scenarios.worker", scenario, *arguments]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=_ROOT,
            env=environment,
            start_new_session=True,  # Ctrl-C is for us; we end the workers ourselves
        )
        self.seeds: list[int] = []
        self._rest = b""

    def ask(self, seed: int) -> None:
        assert self.process.stdin is not None
        self.seeds.append(seed)
        try:
            self.process.stdin.write(b"%d\n" % seed)
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it died: `answers` will see the end of its output and say so

    def answers(self) -> list[Result] | None:
        """Return what has arrived; None once the worker is gone."""
        assert self.process.stdout is not None
        data = os.read(self.process.stdout.fileno(), 1 << 16)
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        found = [results.decode(line) for line in lines]
        for result in found:
            self.seeds.remove(result.seed)
        return found

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue


def hunt(
    scenario: str,
    seeds: Iterator[int],
    *,
    jobs: int,
    seconds: float | None = None,
    progress: Callable[[Campaign], None] = lambda _: None,
    arguments: tuple[str, ...] = (),
    keep_results: list[Result] | None = None,
) -> Campaign:
    """Run `seeds` on `jobs` workers and return what they found."""
    campaign = Campaign(scenario, time.monotonic(), jobs)
    deadline = None if seconds is None else campaign.started + seconds
    selector = selectors.DefaultSelector()
    try:
        for seed in islice(seeds, jobs):  # no worker without a seed: nothing would end it
            worker = _Worker(scenario, arguments)
            selector.register(worker.process.stdout, selectors.EVENT_READ, worker)  # type: ignore[arg-type]
            worker.ask(seed)
        while selector.get_map():
            for key, _ in selector.select(1.0):
                _serve(key.data, selector, campaign, seeds, keep_results, arguments)
            progress(campaign)
            if campaign.hopeless:
                break
            if deadline is not None and time.monotonic() > deadline:
                break
    except KeyboardInterrupt:
        campaign.interrupted = True
    finally:
        for key in list(selector.get_map().values()):
            key.data.end()
        selector.close()
    campaign.failures.sort(key=lambda result: result.seed)
    return campaign


def _serve(
    worker: _Worker,
    selector: selectors.BaseSelector,
    campaign: Campaign,
    seeds: Iterator[int],
    keep_results: list[Result] | None,
    arguments: tuple[str, ...],
) -> None:
    found = worker.answers()
    if found is None:
        _bury(worker, selector, campaign, seeds, arguments)
        return
    campaign.unanswered = 0
    for result in found:
        campaign.add(result)
        if keep_results is not None:
            keep_results.append(result)
    _feed(worker, seeds)
    if not worker.seeds:
        selector.unregister(worker.process.stdout)  # type: ignore[arg-type]
        worker.end()


def _feed(worker: _Worker, seeds: Iterator[int]) -> None:
    while len(worker.seeds) < _AHEAD:
        seed = next(seeds, None)
        if seed is None:
            return
        worker.ask(seed)


def _bury(
    worker: _Worker,
    selector: selectors.BaseSelector,
    campaign: Campaign,
    seeds: Iterator[int],
    arguments: tuple[str, ...],
) -> None:
    """Name the seed a dead worker died of, and let another go on with the rest."""
    selector.unregister(worker.process.stdout)  # type: ignore[arg-type]
    how = _how_it_ended(worker.process.wait())
    worker.end()
    if not worker.seeds:
        return
    seed, *left = worker.seeds
    _count_death(campaign, seed, how)
    if campaign.hopeless:
        return
    another = _Worker(campaign.scenario, arguments)
    for each in left:
        another.ask(each)
    _feed(another, seeds)
    if another.seeds:
        selector.register(another.process.stdout, selectors.EVENT_READ, another)  # type: ignore[arg-type]
    else:
        another.end()


def _count_death(campaign: Campaign, seed: int, how: str) -> None:
    campaign.died += 1
    campaign.unanswered += 1
    error = f"its worker {how}"
    campaign.add(
        Result(scenario=campaign.scenario, seed=seed, verdict="unknown", digest="", error=error)
    )
    if campaign.unanswered >= _HOPELESS:
        campaign.hopeless = (
            f"{campaign.unanswered} workers in a row ended without an answer, the last "
            f"{how}; the hunt stops here: `wavetank run {campaign.scenario} --seed {seed}` "
            "may show why"
        )


def _how_it_ended(code: int) -> str:
    return "ran out of memory" if code == OUT_OF_MEMORY else endings.told(code)
