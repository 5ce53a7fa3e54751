"""How long UBSCore recovers, and in how much memory: a snapshot, and the log behind it.

    python -m scenarios.bench_recovery                       1,000,000 commands, 10,000 behind
    python -m scenarios.bench_recovery --commands 100000     fewer

The commands go through UBSCore as they would live; then fresh processes recover the directory.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any, cast

from confluent_kafka import Message

from scenarios.bench_core import MINE, Bench, Record, deposits, opened, records_of, settings
from system.wal.reader import Contents

_BATCH = 1024
_TIMES = 3


class _Fresh(Bench):
    """A program that only recovers; notes when the snapshot was loaded, by both clocks."""

    loaded = (0.0, 0.0)

    def read_log(self) -> Contents:
        self.loaded = _now()
        return super().read_log()


def main() -> None:
    """Fill a directory, and measure its recovery."""
    parser = argparse.ArgumentParser(prog="python -m scenarios.bench_recovery")
    parser.add_argument("--commands", type=int, default=1_000_000, help="how many are logged")
    parser.add_argument("--directory", help=argparse.SUPPRESS)  # a fresh process: recover it
    chosen = parser.parse_args()
    if chosen.directory:
        print(json.dumps(_recovered(chosen.directory)))
        return
    if chosen.commands < 2:
        parser.error(f"--commands {chosen.commands}: 2 at least")
    _measure(chosen.commands)


def _measure(commands: int) -> None:
    behind = min(10_000, commands // 2)
    with opened(Bench, [], _BATCH) as core:
        records = records_of(deposits(commands))
        _log(core, islice(records, commands - behind))
        core.save()
        _log(core, records)
        core.writer.close()
        core.directory.unlock()
        runs = [_in_a_fresh_process(core.directory.path) for _ in range(_TIMES)]
    middle = {what: statistics.median(run[what] for run in runs) for what in runs[0]}
    print(f"recovery of {commands:,} commands, {behind:,} since the snapshot; median of {_TIMES}")
    print(f"{'':<34}{'aim':>8}{'CPU, s':>10}{'wall, s':>10}")
    for what, aim in (("load of the snapshot", "-"), ("the log behind it", "< 1")):
        cpu, wall = middle[f"{what}, CPU"], middle[f"{what}, wall"]
        print(f"{what:<34}{aim:>8}{cpu:>10.2f}{wall:>10.2f}")
    print(f"snapshot, MB {middle['snapshot'] / 1e6:,.0f}; peak memory, MB {middle['peak']:,.0f}")


def _log(core: Bench, records: Iterator[Record]) -> None:
    """Decide, log and publish records, a batch at a time."""
    while batch := list(islice(records, _BATCH)):
        core.commit(core.judge(cast("list[Message]", batch)))
        core.tend()


def _in_a_fresh_process(path: str) -> dict[str, float]:
    command = [sys.executable, "-m", "scenarios.bench_recovery", "--directory", path]
    found: dict[str, float] = json.loads(subprocess.check_output(command))
    return found


def _recovered(path: str) -> dict[str, Any]:
    """Recover a directory in this process; return seconds, bytes and megabytes."""
    core = _Fresh(settings(path, _BATCH), [])
    snapshot = max(name for name in os.listdir(path) if name.startswith("snapshot-"))
    core.prepare(MINE)
    began = _now()
    core.restore()
    ended = _now()
    core.writer.close()
    told: dict[str, Any] = {
        "snapshot": os.path.getsize(os.path.join(path, snapshot)),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    for clock, at in (("wall", 0), ("CPU", 1)):
        told[f"load of the snapshot, {clock}"] = core.loaded[at] - began[at]
        told[f"the log behind it, {clock}"] = ended[at] - core.loaded[at]
    return told


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


if __name__ == "__main__":
    main()
