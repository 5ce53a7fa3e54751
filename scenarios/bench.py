"""``make bench``: how fast, as paired ratios and medians; never a test.

Everything is measured in processor time, so that neighbours on the machine are not. Still they take
caches away: ratios are between neighbouring runs of one process, each seed is run several times and
its median counts. Last comes a table of where the time of a seed goes.
"""

import gc
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import simpy

from scenarios import bench_doors, catalog
from scenarios.stages import simulated
from scenarios.stages.town import Town, pool
from sim.kernel import SECOND, Kernel
from sim.process import Process
from sim.trace import Trace

_ROUNDS = 7
_THREADS, _WAITS = 20, 3000
_FIRST_SEED, _TIMES = 100, 3
# scenario -> aim in seeds a second, and how many seeds are run
_SCENARIOS = {
    "nine_deposits": (">= 40, 60, 100", 20),
    "nine_deposits_faults": (">= 25, 45, 100", 20),
    "chaos_deposits": ("-", 20),
    "trading": ("-", 20),
    "trading_day": ("-", 4),
}


def main() -> int:
    """Measure and print the tables."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "scenarios.bench", *sys.argv[1:]])
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, one of them used\n")
    _row("figure", "aim", "reached")
    _waits()
    costs = [_seeds(name, *told) for name, told in _SCENARIOS.items()]
    _trace()
    _idle()
    _memory()
    _doors()
    _table(costs)
    return 0


def _row(figure: str, aim: str, reached: str) -> None:
    print(f"{figure:<52}{aim:<18}{reached}", flush=True)


def _timed(function: Callable[[], object]) -> float:
    gc.collect()
    began = time.process_time()
    function()
    return time.process_time() - began


def _waits() -> None:
    ratios, rates = [], []
    for _ in range(_ROUNDS):
        before, ours, after = _timed(_bare_simpy), _timed(_blocking_waits), _timed(_bare_simpy)
        ratios.append((before + after) / 2 / ours)
        rates.append(_THREADS * _WAITS / ours)
    _row("blocking waits against 20 bare SimPy processes", ">= 0.45", f"{_median(ratios):.2f}")
    _row("blocking waits a second, digest on", "-", f"{_median(rates):,.0f}")


def _bare_simpy() -> None:
    env = simpy.Environment()

    def process() -> object:
        for _ in range(_WAITS):
            yield env.timeout(1000)

    for _ in range(_THREADS):
        env.process(process())  # type: ignore[arg-type]
    env.run()


def _blocking_waits() -> None:
    kernel = Kernel(1)
    process = Process(kernel, None, "bench", 1)  # type: ignore[arg-type]

    def thread() -> None:
        for _ in range(_WAITS):
            kernel.sleep(1000)

    for _ in range(_THREADS):
        process.spawn(thread)
    kernel.run(10 * SECOND)


Phases = dict[str, float]  # ms by phase, and in all


def _seeds(name: str, aim: str, count: int) -> Phases:
    """Print how many seeds a second; return the mean costs of a seed by phase."""
    scenario = catalog.find(name)
    for seed in range(min(count, 5)):
        simulated.run(scenario, seed)
    seeds = range(_FIRST_SEED, _FIRST_SEED + count)
    costs = [_cost(partial(simulated.run, scenario, seed)) for seed in seeds]
    phases = {phase: statistics.mean(cost.get(phase, 0) for cost in costs) for phase in costs[0]}
    whole = phases["in all"]
    middle = _median([cost["in all"] for cost in costs])
    _row(f"{name}, checked and hashed", aim, f"{1000 / whole:.1f} seeds/s (median {middle:.1f} ms)")
    return phases


def _cost(run: Callable[[], simulated.Run]) -> Phases:
    """Return what a seed costs: the run whose cost is the median of several."""
    found = []
    for _ in range(_TIMES):
        spent = {phase: ns / 1e6 for phase, ns in run().costs_ns.items()}
        found.append(spent | {"in all": sum(spent.values())})
    return sorted(found, key=lambda cost: cost["in all"])[_TIMES // 2]


def _table(columns: list[Phases]) -> None:
    print("\nwhat a seed costs, in ms of one core")
    print(f"{'phase':<24}" + "".join(f"{name:>24}" for name in _SCENARIOS))
    for phase in columns[0]:
        cells = (f"{column.get(phase, 0):>17.2f} {_share(column, phase):>6}" for column in columns)
        print(f"{phase:<24}" + "".join(cells), flush=True)


def _share(column: Phases, phase: str) -> str:
    return f"{100 * column.get(phase, 0) / column['in all']:.0f} %"


def _trace() -> None:
    scenario = catalog.find("nine_deposits")
    record, roll = Trace.record, Trace.roll
    shares = []
    for _ in range(_ROUNDS):
        whole = _timed(lambda: simulated.run(scenario, 7))
        Trace.record = lambda *_: None  # type: ignore[method-assign]
        Trace.roll = _forget_steps  # type: ignore[assignment,method-assign]
        try:
            without = _timed(lambda: simulated.run(scenario, 7))
        finally:
            Trace.record, Trace.roll = record, roll  # type: ignore[method-assign]
        again = _timed(lambda: simulated.run(scenario, 7))
        shares.append(1 - 2 * without / (whole + again))
    _row("trace and digest, share of a run", "< 10 %", f"{100 * _median(shares):.1f} %")


def _forget_steps(trace: Any) -> None:
    trace.rolled = trace.steps
    trace.schedule.clear()


def _idle() -> None:
    hour = 3600 * SECOND
    with Town(catalog.find("nine_deposits"), 1) as town:
        town.start_servers()
        town.start_programs()
        kernel = town.world.kernel
        kernel.run(kernel.now + 60 * SECOND)
        events = kernel.events
        took = _timed(lambda: kernel.run(kernel.now + hour // 6))
        rate = (kernel.events - events) / 600
    _row("an idle deployment, times real time", ">= 500, 2,000", f"{600 / took:,.0f}")
    _row("events a simulated second of it", "-", f"{rate:.0f}")


def _memory() -> None:
    scenario = catalog.find("nine_deposits")
    sizes = []
    for seed in range(1000):
        simulated.run(scenario, seed)
        if seed % 250 == 249:
            sizes.append(_resident_mb())
    steps = ", ".join(f"{size:.0f}" for size in sizes)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    _row("memory of a worker after 250 .. 1,000 seeds, MB", "< 150 and flat", f"{steps}")
    _row("its peak, MB", "-", f"{peak:.0f}")
    pool.forget()


def _doors() -> None:
    """Print what doors around a real program add to its calls; without a plan there are none."""
    for door, ns in bench_doors.added_ns().items():
        _row(f"a door around a real program: {door}", "-", f"+ {ns / 1000:.1f} us a call")


def _resident_mb() -> float:
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


def _median(values: list[float]) -> float:
    return statistics.median(values)


if __name__ == "__main__":
    sys.exit(main())
