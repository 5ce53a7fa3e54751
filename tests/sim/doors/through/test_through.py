"""Doors around a real program: they count, and do their harm in the middle of a call."""

import errno
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sim.doors.through.board import Board, Cell, Clock
from sim.doors.through.plan import DoorPlan, Rule

ROOT = Path(__file__).parents[4]

PROGRAM = """
import os, sys, time
where = sys.argv[1]
log = os.open(where + "/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
for number in range(int(sys.argv[2])):
    try:
        os.write(log, b"%04d----" % number)
        os.fdatasync(log)
    except OSError as error:
        print("failed", error.errno)
os.rename(where + "/log", where + "/done")
with open(where + "/done", "rb") as file:
    print("read", len(file.read()))
print("wall", time.time_ns(), time.monotonic_ns())
"""


class Bench:
    """A program behind doors, run as often as one likes."""

    def __init__(self, folder: Path, *rules: Rule, clock: bool = False) -> None:
        self.data = folder / "data"
        self.data.mkdir()
        (folder / "victim.py").write_text(PROGRAM)
        self.folder = folder
        plan = DoorPlan(
            board=str(folder / "board"),
            notes=str(folder / "notes"),
            rules=rules,
            paths=((str(self.data), "/var/lib/victim"),),
            clock=clock,
        )
        plan.save(folder / "plan.json")
        self.board = Board.make(folder / "board", len(rules))
        for rule in range(len(rules)):
            self.board.put(rule, Cell.ARMED, 1)

    def run(self, writes: int = 4) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                *(sys.executable, "-m", "sim.doors.through", str(self.folder / "plan.json")),
                *("victim", str(self.data), str(writes)),
            ],
            env={"PYTHONPATH": f"{ROOT}:{self.folder}"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def file(self, name: str) -> bytes:
        return (self.data / name).read_bytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_a_plan_is_read_as_it_was_saved(folder: Path) -> None:
    plan = DoorPlan(
        board="b", notes="n", rules=(Rule(kind="moment", door="os.write"),), paths=(("a", "b"),)
    )

    plan.save(folder / "plan.json")

    assert DoorPlan.load(folder / "plan.json") == plan


def test_a_program_dies_in_the_middle_of_a_write(folder: Path) -> None:
    torn = Rule(
        kind="moment",
        door="os.write",
        subject="/var/lib/victim/*",
        ordinal=3,
        part=0.5,
        dies=True,
    )
    bench = Bench(folder, torn)

    done = bench.run()

    assert done.returncode == -signal.SIGKILL
    assert bench.file("log") == b"0000----0001----0002"
    note = json.loads((folder / "notes").read_text())
    assert (note["path"], note["offset"]) == ("/var/lib/victim/log", 16)
    assert (note["done"], note["asked"]) == (4, 8)


def test_calls_are_counted_over_all_incarnations(folder: Path) -> None:
    third = Rule(kind="moment", door="os.fsync", ordinal=7, dies=True)
    bench = Bench(folder, third)

    codes = [bench.run().returncode for _ in range(3)]

    assert codes == [0, -signal.SIGKILL, 0]
    assert bench.board.get(0, Cell.CAME)


def test_a_rule_that_is_not_armed_counts_nothing(folder: Path) -> None:
    bench = Bench(folder, Rule(kind="moment", door="os.write", dies=True))
    bench.board.put(0, Cell.ARMED, 0)

    assert bench.run().returncode == 0
    assert bench.board.get(0, Cell.SEEN) == 0


@pytest.mark.parametrize(
    ("part", "left"), [(0.0, ["log"]), (1.0, ["done"])], ids=["before", "after"]
)
def test_a_rename_is_done_or_not(folder: Path, part: float, left: list[str]) -> None:
    subject = "/var/lib/victim/done"
    rule = Rule(kind="moment", door="os.rename", subject=subject, part=part, dies=True)
    bench = Bench(folder, rule)

    assert bench.run().returncode == -signal.SIGKILL
    assert sorted(path.name for path in bench.data.iterdir()) == left


def test_a_read_of_a_python_file_passes_the_door(folder: Path) -> None:
    bench = Bench(folder, Rule(kind="moment", door="os.read", ordinal=1, dies=True))

    done = bench.run()

    assert done.returncode == -signal.SIGKILL
    assert "read" not in done.stdout


def test_a_sync_fails_as_often_as_planned(folder: Path) -> None:
    bench = Bench(folder, Rule(kind="error", door="os.fsync", errno=errno.EIO))
    bench.board.put(0, Cell.LEFT, 2)

    done = bench.run()

    assert done.stdout.count(f"failed {errno.EIO}") == 2
    assert bench.board.get(0, Cell.BITES) == 2


def test_a_full_disk_takes_no_more_bytes(folder: Path) -> None:
    bench = Bench(folder, Rule(kind="full", door="space", subject="/var/lib/victim*"))

    done = bench.run()

    assert done.returncode == 1  # not even the file can be made
    assert f"[Errno {errno.ENOSPC}]" in done.stderr
    assert bench.board.get(0, Cell.BITES) == 1


def test_wrong_clocks_are_read_as_the_board_says(folder: Path) -> None:
    bench = Bench(folder, clock=True)
    hour = 3600 * 10**9
    bench.board.set_clock({Clock.OFFSET: hour, Clock.GAINED: hour})
    import time  # noqa: PLC0415

    before = time.time_ns(), time.monotonic_ns()
    line = next(line for line in bench.run().stdout.splitlines() if line.startswith("wall"))
    after = time.time_ns(), time.monotonic_ns()

    _, wall, monotonic = line.split()
    assert before[0] <= int(wall) - 2 * hour <= after[0]
    assert before[1] <= int(monotonic) - hour <= after[1]
    assert bench.board.clock(Clock.READS) > 0
