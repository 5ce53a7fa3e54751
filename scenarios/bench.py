"""``make bench``: how fast, as paired ratios and medians; never a test.

Each figure is the median of several runs; ratios are taken between runs of one process, so that
both sides met the same machine.
"""

import gc
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

import simpy

from scenarios import catalog
from scenarios.stages import simulated
from scenarios.stages.town import Town, pool
from sim.kernel import SECOND, Kernel
from sim.process import Process
from sim.trace import Trace

_ROUNDS = 7
_THREADS, _WAITS = 20, 3000


def main() -> int:
    """Measure and print the table."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "scenarios.bench", *sys.argv[1:]])
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, one of them used\n")
    _row("figure", "aim", "reached")
    _waits()
    _seeds("nine_deposits", ">= 40, 60, 100")
    _seeds("nine_deposits_faults", ">= 25, 45, 100")
    _seeds("chaos_deposits", "-")
    _trace()
    _idle()
    _memory()
    return 0


def _row(figure: str, aim: str, reached: str) -> None:
    print(f"{figure:<52}{aim:<18}{reached}", flush=True)


def _timed(function: Callable[[], object]) -> float:
    gc.collect()
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def _waits() -> None:
    ratios, rates = [], []
    for _ in range(_ROUNDS):
        bare, ours = _timed(_bare_simpy), _timed(_blocking_waits)
        ratios.append(bare / ours)
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


def _seeds(name: str, aim: str) -> None:
    scenario = catalog.find(name)
    for seed in range(5):
        simulated.run(scenario, seed)
    seeds = range(100, 100 + 5 * _ROUNDS)
    costs = [_timed(partial(simulated.run, scenario, seed)) for seed in seeds]
    rate = 1 / statistics.mean(costs)
    reached = f"{rate:.1f} seeds/s (median seed {1000 * _median(costs):.1f} ms)"
    _row(f"{name}, checked and hashed", aim, reached)


def _trace() -> None:
    scenario = catalog.find("nine_deposits")
    record, roll = Trace.record, Trace.roll
    shares = []
    for _ in range(_ROUNDS):
        whole = _timed(lambda: simulated.run(scenario, 7))
        Trace.record = lambda *_: None  # type: ignore[method-assign]
        Trace.roll = lambda self: self.schedule.__delitem__(slice(None))  # type: ignore[method-assign]
        try:
            without = _timed(lambda: simulated.run(scenario, 7))
        finally:
            Trace.record, Trace.roll = record, roll  # type: ignore[method-assign]
        shares.append(1 - without / whole)
    _row("trace and digest, share of a run", "< 10 %", f"{100 * _median(shares):.1f} %")


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


def _resident_mb() -> float:
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


def _median(values: list[float]) -> float:
    return statistics.median(values)


if __name__ == "__main__":
    sys.exit(main())
