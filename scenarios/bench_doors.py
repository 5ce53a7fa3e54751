"""What doors around a real program cost: nanoseconds added to a call, for ``make bench``."""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from sim.doors.through.board import Board, Cell
from sim.doors.through.plan import DoorPlan, Rule

_ROOT = Path(__file__).parents[1]
_ROUNDS, _CALLS = 5, 20_000
_PROGRAM = """
import os, sys, time
log = os.open(sys.argv[1] + "/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
data = bytes(200)
def timed(call):
    began = time.thread_time_ns()
    for _ in range(CALLS):
        call()
    return (time.thread_time_ns() - began) / CALLS
print(timed(lambda: os.write(log, data)), timed(time.time_ns))
"""
_NEVER = 10**9


def added_ns() -> dict[str, float]:
    """Return how much longer a watched call takes, by door: medians of several processes."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "watched_program.py").write_text(_PROGRAM.replace("CALLS", str(_CALLS)))
        bare = _median([_run(folder) for _ in range(_ROUNDS)])
        watched = _median([_run(folder, *_doors(Path(folder))) for _ in range(_ROUNDS)])
    return {"os.write": watched[0] - bare[0], "time.time_ns": watched[1] - bare[1]}


def _doors(folder: Path) -> tuple[str, ...]:
    rule = Rule(kind="moment", door="os.write", ordinal=_NEVER, dies=True)
    plan = DoorPlan(
        board=str(folder / "board"),
        notes=str(folder / "notes"),
        rules=(rule,),
        paths=((str(folder), "/var/lib/program"),),
        clock=True,
    )
    plan.save(folder / "plan.json")
    Board.make(folder / "board", 1).put(0, Cell.ARMED, 1)
    return ("sim.doors.through", str(folder / "plan.json"))


def _run(folder: str, *around: str) -> tuple[float, ...]:
    done = subprocess.run(
        [sys.executable, "-m", *around, "watched_program", folder],
        env={"PYTHONPATH": f"{_ROOT}:{folder}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(map(float, done.stdout.split()))


def _median(runs: list[tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(map(statistics.median, zip(*runs, strict=True)))
