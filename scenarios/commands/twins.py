"""``wavetank twin``: the same seed in other surroundings must be the same run."""

import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from scenarios import catalog, endings, results
from scenarios.errors import Infrastructure
from scenarios.leash import leashed
from scenarios.results import Result

_ROOT = Path(__file__).resolve().parents[2]

# What differs between the two: (environment, arguments of the worker).
_ONE = ({"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C"}, ())
_OTHER = (
    {"PYTHONHASHSEED": "4242", "TZ": "Asia/Kathmandu", "LC_ALL": "C.UTF-8", "WAVETANK_TWIN": "1"},
    ("--ballast", "300000", "--other-date"),
)


def twin(scenario: str, seed: int | None, seeds: int, others: int) -> int:
    """Compare the digests of both twins of each seed; return the exit code."""
    catalog.find(scenario)
    chosen = [seed] if seed is not None else random.sample(range(1, 10**6), seeds)
    here = serve(scenario, chosen, *_ONE, directory=_ROOT)
    with tempfile.TemporaryDirectory() as elsewhere:
        environment, arguments = _OTHER
        there = serve(
            scenario,
            chosen[::-1],
            environment,
            ("--after", str(others), *arguments),
            directory=Path(elsewhere),
        )
    different = [s for s in chosen if here[s].digest != there[s].digest]
    for s in chosen:
        mark = "DIFFERENT" if s in different else "equal"
        click.echo(f"seed {s:<8} {here[s].digest}  {mark}  ({here[s].verdict})")
    if not different:
        click.echo(f"{len(chosen)} twins of {scenario}: all digests equal")
        return 0
    first = different[0]
    click.echo(f"seed {first} took two courses; looking for the first difference ...")
    click.echo(_first_difference(scenario, first, others))
    return 4


def serve(
    scenario: str,
    seeds: list[int],
    environment: dict[str, str],
    arguments: tuple[str, ...],
    *,
    directory: Path,
) -> dict[int, Result]:
    """Run `seeds` in one worker process in the given surroundings."""
    paths = os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    done = subprocess.run(
        leashed([sys.executable, "-m", "scenarios.worker", scenario, *arguments]),
        input="".join(f"{seed}\n" for seed in seeds).encode(),
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths, **environment},
        cwd=directory,
        check=False,
        start_new_session=True,  # Ctrl-C is for us; it ends with us
    )
    found = [results.decode(line) for line in done.stdout.splitlines()]
    if len(found) != len(seeds):
        raise Infrastructure(
            f"a worker {endings.told(done.returncode)} after {len(found)} of {len(seeds)} seeds"
        )
    return {result.seed: result for result in found}


def _first_difference(scenario: str, seed: int, others: int) -> str:
    """Keep both traces, find the first entry that differs, and show both stacks there."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("one", "other")]
        after = ("--after", str(others))
        for file, (environment, arguments), extra in zip(
            files, (_ONE, _OTHER), ((), after), strict=True
        ):
            trace = ("--trace", str(file))
            serve(scenario, [seed], environment, (*extra, *arguments, *trace), directory=_ROOT)
        one, other = (file.read_text().splitlines() for file in files)
        number = next(
            (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
            min(len(one), len(other)),
        )
        stacks = []
        for (environment, arguments), extra in zip((_ONE, _OTHER), ((), after), strict=True):
            stack = Path(folder, "stack")
            stop = ("--stop-at", str(number), "--stack", str(stack))
            serve(scenario, [seed], environment, (*extra, *arguments, *stop), directory=_ROOT)
            stacks.append(stack.read_text() if stack.exists() else "(never reached)")
        return (
            f"first difference: entry {number}\n"
            f"  one    {one[number] if number < len(one) else '(the trace ends)'}\n"
            f"  other  {other[number] if number < len(other) else '(the trace ends)'}\n\n"
            f"stack of one\n{stacks[0]}\nstack of the other\n{stacks[1]}"
        )
