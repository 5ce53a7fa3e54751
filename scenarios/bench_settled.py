"""How much real servers settle: from the topic and through HTTP, beside a bare client.

The bare client inserts the same rows and does nothing else. Each load is a burst of more than can
be settled meanwhile; its rate is that of all its rows until the last had settled, and counts only
if the ledger reconciled. Through HTTP it is just a little more: a gateway looks up keys that have
waited for two seconds, and that is not what is measured. All of it shares the cores of this
machine, so arms take turns, and the figures are medians.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from scenarios import catalog
from scenarios.backends.base import Backend
from scenarios.commands import real
from scenarios.errors import Infrastructure, WavetankError
from scenarios.load import course, figures, told
from scenarios.load.baseline import Baseline
from scenarios.load.made import Made
from scenarios.load.settings import Settings, Through
from scenarios.load.told import Told

USERS = 200  # their accounts are soon known to Settlement, as those of a deployment that runs
ROWS = 2.2  # of a request, roughly
MORE = 1.3  # offered to the topic, of what the bare client's rate would be in requests
HTTP_FIRST, HTTP_MORE = 0.9, 1.15  # offered over HTTP, of the topic's rate, and of its own best
_WARM_S = 1.0
_INTERRUPTED = 130
_STAGES = ("load generator", "gateway", "kafka", "ubscore", "settlement", "scylla")
_INSTANCES = ((1, 1, 1), (2, 1, 1), (1, 2, 1), (1, 1, 2), (2, 2, 2))


@dataclass(frozen=True, slots=True)
class Arm:
    """One burst: what settled a second, and CPU time a request by stage, in microseconds."""

    requests_s: float
    rows_s: float
    cpu_us: dict[str, float]


@dataclass(frozen=True, slots=True)
class Bench:
    """Measures on one back end, again and again."""

    backend: Backend
    folder: Path
    seconds: float
    told: Told

    def bare(self) -> float:
        """Return the rows a second that a bare client inserts."""
        with Baseline(self.backend, self.backend.keyspace, USERS, 1) as baseline:
            baseline.measure(_WARM_S)
            return baseline.measure(self.seconds)

    def burst(self, rate: float, through: Through, instances: Sequence[int] = (1, 1, 1)) -> Arm:
        """Return what a burst comes to, or say that the ledger is not whole."""
        gateways, shards, settlements = instances
        settings = Settings(
            through=through,
            rate=rate,
            lasts_s=self.seconds,
            warm_up_s=0.0,
            users=USERS,
            told=self.told,
            gateways=gateways,
            shards=shards,
            settlements=settlements,
        )
        scenario = catalog.find("nine_deposits")
        with tempfile.TemporaryDirectory(dir=self.folder) as live:
            made = course.run(settings, scenario, self.backend, Path(live), plan=())
        if made.interrupted:
            raise KeyboardInterrupt
        if made.verdict != "held":
            raise Infrastructure(f"a burst does not count: {made.verdict}, {made.unknown}")
        return _arm(made)


def _arm(made: Made) -> Arm:
    whole = figures.whole(made.samples, made.begin_ns)
    assert whole is not None, "nothing settled, and it held"
    requests = whole.requests_s * whole.lasts_s
    cpu_us: dict[str, float] = {}
    for each in made.usage:
        cpu_us[each.stage] = cpu_us.get(each.stage, 0.0) + 1e6 * each.cpu_s / requests
    return Arm(whole.requests_s, whole.rows_s, cpu_us)


def main(words: Sequence[str] | None = None) -> int:
    """Print the comparison, or with --scale what more instances of each program do."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m scenarios.bench_settled")
    parser.add_argument("--kind", default="jvm", help="of servers, one node each (default: jvm)")
    parser.add_argument("--rounds", type=int, default=6, help="of all arms (default: 6)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each burst (default: 10)")
    parser.add_argument("--minutes", type=float, default=60.0, help="after which no round begins")
    parser.add_argument("--set", action="append", default=[], help="as of `wavetank load`")
    parser.add_argument("--scale", action="store_true", help="instances instead of the comparison")
    asked = parser.parse_args(words)
    if asked.rounds < 1 or asked.seconds <= 0 or asked.minutes <= 0:
        parser.error("--rounds, --seconds and --minutes must be more than 0")
    try:
        with _bench(asked) as bench:
            rounds = _rounds(asked.rounds, asked.minutes)
            (_scale if asked.scale else _compare)(bench, rounds)
    except WavetankError as error:
        print(f"bench_settled: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        print("bench_settled: interrupted", file=sys.stderr)
        return _INTERRUPTED
    return 0


@contextmanager
def _bench(asked: argparse.Namespace) -> Iterator[Bench]:
    settings = told.told(asked.set)
    with tempfile.TemporaryDirectory(prefix="wavetank-load-") as name:
        folder = Path(name)
        wish = real.Wish(kind=asked.kind, nodes=1, folder=folder / "none")
        with real.servers(wish, folder / "servers") as backend:
            yield Bench(backend, folder, asked.seconds, settings)


def _rounds(count: int, minutes: float) -> Iterator[int]:
    ends_s = time.monotonic() + 60 * minutes
    for number in range(1, count + 1):
        if time.monotonic() > ends_s:
            print(f"time is up: {number - 1} of {count} rounds", flush=True)
            return
        yield number


def _compare(bench: Bench, rounds: Iterator[int]) -> None:
    compared = Comparison(bench)
    try:
        for number in rounds:
            compared.turn(backwards=number % 2 == 0)
            shown = "  ".join(f"{rows_s:7,.0f}" for rows_s in compared.last())
            load = f"load average {os.getloadavg()[0]:.1f}"
            print(f"round {number}: bare, topic, HTTP {shown} rows/s, {load}", flush=True)
    finally:  # what was measured is told, whatever ends the rounds
        compared.show()


class Comparison:
    """The bare client and both ways in, in turn."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.bare: list[float] = []
        self.arms: dict[Through, list[Arm]] = {"topic": [], "http": []}
        bench.bare()  # the servers' first minute is not their fastest

    def turn(self, *, backwards: bool) -> None:
        """Measure each once; those that come late in one round come early in the next."""
        if not backwards:
            self.bare.append(self.bench.bare())
        for through in reversed(self.arms) if backwards else self.arms:
            self.arms[through].append(self.bench.burst(self._rate(through), through))
        if backwards:
            self.bare.append(self.bench.bare())

    def _rate(self, through: Through) -> float:
        """Return what is to be offered."""
        if through == "topic":
            return MORE * median(self.bare) / ROWS
        topic, http = self.arms["topic"], self.arms["http"]
        return _little_more(http) if http else HTTP_FIRST * topic[-1].requests_s

    def last(self) -> tuple[float, ...]:
        """Return the rows a second of the last turn."""
        return self.bare[-1], *(found[-1].rows_s for found in self.arms.values())

    def show(self) -> None:
        """Print both tables, if there was time for each arm."""
        if not (self.bare and all(self.arms.values())):
            return
        print("\n| | rows/s: median (lowest to highest) | share |\n|---|---|---|")
        print(f"| bare client | {_spread(self.bare)} | |")
        before, name = median(self.bare), "the bare client"
        for through, found in self.arms.items():
            rates = [arm.rows_s for arm in found]
            share = 100 * median(rates) / before
            print(f"| through {through} | {_spread(rates)} | {share:.0f} % of {name} |")
            before, name = median(rates), f"that through {through}"
        self._show_cpu()

    def _show_cpu(self) -> None:
        print("\n| CPU us a request | " + " | ".join(self.arms) + " |")
        print("|---|" + "---|" * len(self.arms))
        sums = dict.fromkeys(self.arms, 0.0)
        for stage in _stages([arm for found in self.arms.values() for arm in found]):
            cells = {through: _cpu(found, stage) for through, found in self.arms.items()}
            sums = {through: sums[through] + cell for through, cell in cells.items()}
            print(f"| {stage} | " + " | ".join(f"{cell:,.0f}" for cell in cells.values()) + " |")
        print("| all of these | " + " | ".join(f"{total:,.0f}" for total in sums.values()) + " |")


def _scale(bench: Bench, rounds: Iterator[int]) -> None:
    topic = bench.burst(MORE * bench.bare() / ROWS, "topic")
    every = [bench.burst(HTTP_FIRST * topic.requests_s, "http")]
    found: dict[tuple[int, int, int], list[Arm]] = {each: [] for each in _INSTANCES}
    for number in rounds:
        for instances in _INSTANCES if number % 2 else _INSTANCES[::-1]:
            every.append(bench.burst(_little_more(every), "http", instances))
            found[instances].append(every[-1])
    stages = _stages([arm for arms in found.values() for arm in arms])
    print("\n| gateways | shards | settlements | rows/s | " + " | ".join(stages) + " |")
    print("|---|---|---|---|" + "---|" * len(stages))
    for instances, arms in found.items():
        cells = [*map(str, instances), f"{median(arm.rows_s for arm in arms):,.0f}"]
        cells += [f"{_cpu(arms, stage):,.0f}" for stage in stages]
        print("| " + " | ".join(cells) + " |")
    alone = [f"{1e6 / _cpu(found[1, 1, 1], stage):,.0f}" for stage in stages]
    print("| requests/s that a core would do | | | | " + " | ".join(alone) + " |")


def _little_more(http: Sequence[Arm]) -> float:
    return HTTP_MORE * max(arm.requests_s for arm in http)


def _stages(arms: Sequence[Arm]) -> list[str]:
    """Return the names of all stages, in the order in which a request comes to them."""
    names = {stage for arm in arms for stage in arm.cpu_us}
    return [stage for stage in _STAGES if stage in names]


def _cpu(arms: Sequence[Arm], stage: str) -> float:
    return median(arm.cpu_us.get(stage, 0.0) for arm in arms)


def _spread(rates: Sequence[float]) -> str:
    return f"{median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"


if __name__ == "__main__":
    sys.exit(main())
