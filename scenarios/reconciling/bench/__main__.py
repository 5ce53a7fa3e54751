"""``python -m scenarios.reconciling.bench [--mix MIX] [ROWS...]``: time and memory of reconciling.

Two mixes, each of several sizes: *transfers*, deposits that are made up as they are read, and an
*exchange*, whose day is written into a temporary folder first (200 MB for 100,000 ledger rows).
Each size runs in a process of its own, so that its peak is its own; as that counts from what its
parent holds when it is started, an exchange is made up in a process of its own, too. CPU time is
what counts where others use the machine, too; `making` is what it takes to make the deployment up:
of transfers it is a part of the time before it, of an exchange it comes on top.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import click
import msgspec

from reports.live.reconciling import reconcile
from reports.live.sources import Bounds, Sources
from scenarios.reconciling.bench import traders
from scenarios.reconciling.bench.transfers import Transfers
from scenarios.reconciling.bench.written import Written

SIZES = (100_000, 1_000_000, 10_000_000)


class Figures(msgspec.Struct, frozen=True):
    """What one size took; seconds and megabytes."""

    rows: int
    verdict: str
    seconds: float
    cpu: float
    peak_mb: float


def measure(sources: Sources) -> Figures:
    """Reconcile once; return time and this process's peak."""
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    outcome = reconcile(sources, Bounds())
    took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Figures(outcome.reads["ledger rows"], outcome.verdict, took_s, cpu_s, peak_mb)


def transfers(rows: int) -> tuple[float, Figures]:
    """Measure transfers; making them up is estimated from a sample."""
    return _making(rows), _measured("transfers", str(rows))


def _making(rows: int) -> float:
    made = Transfers(min(rows, SIZES[0] // 10))
    began_s = time.process_time()
    streams: list[Iterable[object]] = [made.ledger(), made.requests(), made.frames(1)]
    for partition, end in made.ends().items():
        streams += [made.operations(partition, 0, end), made.events(partition, 0, end)]
    for stream in streams:
        for _ in stream:
            pass
    return (time.process_time() - began_s) * rows / made.rows


def exchange(rows: int) -> tuple[float, Figures]:
    """Measure an exchange in a folder that vanishes afterwards."""
    with tempfile.TemporaryDirectory(prefix="wavetank-bench-") as folder:
        making_s = msgspec.json.decode(_child("--make", folder, str(rows)), type=float)
        return making_s, _measured("exchange", folder)


def _measured(mix: str, what: str) -> Figures:
    return msgspec.json.decode(_child("--child", mix, what), type=Figures)


def _child(*arguments: str) -> bytes:
    command = [sys.executable, "-m", "scenarios.reconciling.bench", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        told = " ".join(arguments)
        raise click.ClickException(f"the process of {told} ended with {done.returncode}")
    return done.stdout


MIXES: dict[str, Callable[[int], tuple[float, Figures]]] = {
    "transfers": transfers,
    "exchange": exchange,
}


@click.command()
@click.option("--mix", type=click.Choice(list(MIXES)), help="Only this one.")
@click.option("--child", type=(click.Choice(list(MIXES)), str), hidden=True)
@click.option("--make", type=(str, int), hidden=True)
@click.argument("rows", type=click.IntRange(min=1), nargs=-1)
def main(
    mix: str | None,
    child: tuple[str, str] | None,
    make: tuple[str, int] | None,
    rows: tuple[int, ...],
) -> None:
    """Measure mixes and sizes (default: all), each in a child; print a table."""
    if child is not None:
        name, what = child
        sources = Transfers(int(what)) if name == "transfers" else Written(Path(what))
        click.echo(msgspec.json.encode(measure(sources)))
        return
    if make is not None:
        folder, size = make
        traders.make(Path(folder), size)
        click.echo(msgspec.json.encode(time.process_time()))
        return
    titles = f"{'ledger rows':>12}{'time':>10}{'CPU':>10}{'making':>10}{'peak RSS':>11}"
    click.echo(f"{'mix':<9}{titles}")
    held = [_line(name, size) for name in ([mix] if mix else MIXES) for size in rows or SIZES]
    sys.exit(0 if all(held) else 1)


def _line(mix: str, rows: int) -> bool:
    try:
        making_s, f = MIXES[mix](rows)
    except OSError as error:
        raise click.ClickException(f"{mix} of {rows:,} rows: {error}") from None
    times = "".join(f"{seconds:>8.1f} s" for seconds in (f.seconds, f.cpu, making_s))
    click.echo(f"{mix:<9}{f.rows:>12,}{times}{f.peak_mb:>8.0f} MB  {f.verdict}")
    return f.verdict == "held"


if __name__ == "__main__":
    main()
