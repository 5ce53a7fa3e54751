"""How fast UBSCore is alone: commands a second with its log on the disk, and where the time goes.

Kafka is a stand-in in memory that costs little, so that what is measured is the program. Each rate
is told by the clock on the wall and by CPU time, because other work may share the machine. The
table of phases has a lap timer in it: what its own clocks cost is measured and taken off. Batches
are full, so that the log is synced while the next one is decided: "fsync" is what is still waited
for then.
"""

import os
import statistics
import sys
import time
from typing import ClassVar, NamedTuple

from confluent_kafka import Message

from scenarios.bench_core import Bench, Record, deposits, opened, orders, records_of
from system.ubscore.arrivals import Arrival
from system.ubscore.opening import Batch
from system.wal.frames import AnyBody, AnyFrame, CommandFrame
from system.wal.writer import Took, Writer

BATCHES = (1, 16, 64, 256, 1024)
COMMANDS = 16_000
_ROUNDS = 3
_REST = "the rest"


class Rate(NamedTuple):
    """Commands a second."""

    wall: float
    cpu: float


class Laps:
    """Attributes all time since the last lap to a phase, by both clocks, in nanoseconds."""

    def __init__(self) -> None:
        self.wall: dict[str, int] = {}
        self.cpu: dict[str, int] = {}
        self.count: dict[str, int] = {}
        self._wall, self._cpu = time.perf_counter_ns(), time.process_time_ns()

    def lap(self, phase: str) -> None:
        """End a phase."""
        wall, cpu = time.perf_counter_ns(), time.process_time_ns()
        self.wall[phase] = self.wall.get(phase, 0) + wall - self._wall
        self.cpu[phase] = self.cpu.get(phase, 0) + cpu - self._cpu
        self.count[phase] = self.count.get(phase, 0) + 1
        self._wall, self._cpu = wall, cpu


class _TimedWriter(Writer):
    """A log that tells its phases."""

    laps: Laps

    def append(self, body: AnyBody) -> int:
        self.laps.lap("trace")
        lsn = super().append(body)
        self.laps.lap("encode")
        return lsn

    def write(self) -> None:
        super().write()
        self.laps.lap("append")

    def finish(self) -> Took | None:
        self.laps.lap(_REST)
        took = super().finish()
        self.laps.lap("fsync")
        return took


class _Timed(Bench):
    """UBSCore with a lap at the end of each phase."""

    writer_type: ClassVar[type[Writer]] = _TimedWriter

    def open(self) -> None:
        self.laps = _TimedWriter.laps = Laps()
        super().open()

    def judge(self, messages: list[Message]) -> Batch:
        self.laps.lap("take")
        return super().judge(messages)

    def command(self, arrival: Arrival) -> CommandFrame:
        self.laps.lap("decode")
        frame = super().command(arrival)
        self.laps.lap("decide")
        return frame

    def keep(self, frame: AnyFrame) -> int:
        lsn = super().keep(frame)
        self.laps.lap("fold")
        return lsn

    def publish(self, batch: Batch) -> None:
        self.laps.lap(_REST)
        super().publish(batch)
        self.laps.lap("publish")

    def let_out(self, batch: Batch, began_ns: int) -> None:
        super().let_out(batch, began_ns)
        self.laps.lap("count")

    def tend(self) -> None:
        self.laps.lap(_REST)
        super().tend()
        self.laps.lap("acknowledge")


PHASES = (
    *("take", "decode", "decide", "trace", "encode", "fold", "append", "fsync", "publish"),
    *("count", "acknowledge", _REST),
)


class Shares(NamedTuple):
    """Microseconds a command by phase, and which share of all is explained by them."""

    us: dict[str, float]
    explained: float


def main() -> None:
    """Measure and print."""
    print(f"UBSCore alone, {os.cpu_count()} cores, Python {sys.version.split()[0]}\n")
    for name, make in (("deposits", deposits), ("orders", orders)):
        records = list(records_of(make(COMMANDS)))
        _rates(name, records)
        _phases(name, records)


def _rates(name: str, records: list[Record]) -> None:
    columns = [rate(records, batch) for batch in BATCHES]
    aims = [">= 30,000" if batch == 256 else "-" for batch in BATCHES]
    _line(f"{name} a second, by batch size", [f"{batch:,}" for batch in BATCHES])
    _line("  aim, CPU", aims)
    _line("  CPU", [f"{one.cpu:,.0f}" for one in columns])
    _line("  wall", [f"{one.wall:,.0f}" for one in columns])


def _phases(name: str, records: list[Record]) -> None:
    tables = [shares(records, batch) for batch in BATCHES]
    for clock, at in (("CPU", 1), ("wall", 0)):
        _line(f"{name}: us each, {clock}", [f"{batch:,}" for batch in BATCHES])
        for phase in PHASES:
            _line(f"  {phase}", [f"{table[at].us.get(phase, 0):.1f}" for table in tables])
        _line("  explained (aim >= 90 %)", [f"{table[at].explained:.1%}" for table in tables])
    print(flush=True)


def rate(records: list[Record], batch: int) -> Rate:
    """Return commands a second: the median of several runs."""
    runs = [_run(records, batch) for _ in range(_ROUNDS)]
    wall, cpu = (statistics.median(one[at] for one in runs) for at in (0, 1))
    return Rate(wall, cpu)


def _run(records: list[Record], batch: int) -> Rate:
    some = _some(records, batch)
    with opened(Bench, some, batch) as core:
        wall, cpu = time.perf_counter(), time.process_time()
        while core.feed.records:
            core.step()
        core.conclude()
        return Rate(
            len(some) / (time.perf_counter() - wall), len(some) / (time.process_time() - cpu)
        )


def _some(records: list[Record], batch: int) -> list[Record]:
    """Return fewer where every command waits for a sync of its own."""
    return records[: len(records) // 16] if batch == 1 else records


def shares(records: list[Record], batch: int) -> tuple[Shares, Shares]:
    """Return the phases by the clock on the wall, and by CPU time."""
    costs = cost_of_a_lap()
    some = _some(records, batch)
    with opened(_Timed, some, batch) as core:
        laps = core.laps = _TimedWriter.laps = Laps()
        while core.feed.records:
            core.step()
        core.conclude()
        laps.lap(_REST)
    wall, cpu = (
        {phase: (ns - laps.count[phase] * cost) / len(some) / 1000 for phase, ns in spent.items()}
        for spent, cost in zip((laps.wall, laps.cpu), costs, strict=True)
    )
    return _shares(wall), _shares(cpu)


def _shares(us: dict[str, float]) -> Shares:
    return Shares(us, 1 - us[_REST] / sum(us.values()))


def cost_of_a_lap() -> tuple[float, float]:
    """Return nanoseconds of wall and of CPU that a lap itself takes."""
    laps, count = Laps(), 20_000
    wall, cpu = time.perf_counter_ns(), time.process_time_ns()
    for _ in range(count):
        laps.lap(_REST)
    return (time.perf_counter_ns() - wall) / count, (time.process_time_ns() - cpu) / count


def _line(what: str, cells: list[str]) -> None:
    print(f"{what:<34}" + "".join(f"{cell:>11}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
