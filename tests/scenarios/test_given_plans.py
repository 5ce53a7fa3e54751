"""A plan can be changed, given back, shrunk, and made again from the token alone."""

import dataclasses
import os
import re
import signal
from pathlib import Path

import pytest

from scenarios import plan_text
from scenarios.commands.shrinking import Looking
from scenarios.scenario import Step
from sim.faults import Crash, DiskError, PowerLoss, SlowLink
from sim.moments import Moment
from tests.scenarios.commanding import wavetank

APPEND = Moment("ubscore-1", "os.write", 2, 0.5, "/var/lib/ubscore/*")
NEEDED = Step(fault=Crash("ubscore-1"), on=APPEND, lasts=10**9)
IDLE = tuple(
    Step(fault=SlowLink(host, 1), at=at) for at, host in enumerate(("kafka-1", "scylla-1"))
)


@pytest.fixture
def runs(tmp_path: Path) -> str:
    (tmp_path / "plan.py").write_text(plan_text.source((IDLE[0], NEEDED, IDLE[1])))
    return str(tmp_path / "runs")


def test_a_plan_that_was_changed_is_played_kept_and_made_again(runs: str, tmp_path: Path) -> None:
    plan = str(tmp_path / "plan.py")

    first = wavetank("run", "nine_deposits", "--plan", plan, "--runs", runs)

    assert first.returncode == 0, first.stderr
    assert "nine_deposits, seed 1, a plan of its own (simulated)" in first.stdout
    assert "3 planned" in first.stdout
    (kept,) = (folder for folder in Path(runs, "nine_deposits").iterdir())
    assert plan_text.read(str(kept)) == plan_text.read(plan)
    assert f"wavetank run nine_deposits --seed 1 --plan {kept}" in first.stdout

    (token,) = re.findall(r"wavetank replay '(.*)'", first.stdout)
    for what, where in ((token, str(tmp_path / "empty")), (str(kept), runs)):
        again = wavetank("replay", what, "--runs", where)
        assert again.returncode == 0, again.stderr
        assert re.findall("digest [0-9a-f]+", again.stdout)[0] in first.stdout


def test_the_plan_that_the_seed_draws_is_no_plan_of_its_own(runs: str) -> None:
    wavetank("run", "torn_append", "--runs", runs)
    kept = f"{runs}/torn_append/1"

    again = wavetank("run", "torn_append", "--plan", kept, "--runs", runs)

    assert f"look      {kept}/report.html" in again.stdout


def test_an_error_of_a_disk_comes_at_its_moment(runs: str, tmp_path: Path) -> None:
    sync = Moment("ubscore-1", "os.fsync", 3, 0.0, "/var/lib/ubscore*")
    failing = Step(fault=DiskError("ubscore-1", "os.fsync", "EIO"), on=sync, lasts=10**9)
    (tmp_path / "plan.py").write_text(plan_text.source((failing,)))

    done = wavetank("run", "nine_deposits", "--plan", str(tmp_path), "--runs", runs)

    assert done.returncode == 0, done.stderr
    assert "calls failed: 1" in done.stdout


def test_a_broken_run_is_shrunk_to_the_faults_it_needs(runs: str, tmp_path: Path) -> None:
    broken = "a5_keys_forgotten"
    fourth = dataclasses.replace(APPEND, ordinal=4, part=1.0)
    power = Step(fault=PowerLoss("ubscore-1"), on=fourth, at=65197004, lasts=1431000000)
    (tmp_path / "plan.py").write_text(plan_text.source((IDLE[0], power, IDLE[1])))
    wavetank("run", broken, "--plan", str(tmp_path), "--runs", runs)
    (kept,) = Path(runs, broken).iterdir()

    done = wavetank("shrink", str(kept), "--runs", runs)

    assert done.returncode == 1, done.stderr
    assert re.match(r"I\d+ [A-Z_]+: 3 faults shrunk to 1 in \d runs; it is needed", done.stdout)
    (fewest,) = (folder for folder in Path(runs, broken).iterdir() if folder != kept)
    assert plan_text.read(str(fewest)) == (power,)


def test_what_held_is_not_shrunk(runs: str) -> None:
    done = wavetank("shrink", "1", "--scenario", "nine_deposits", "--runs", runs)

    assert done.returncode == 2
    assert "nine_deposits, seed 1, is held: there is nothing to shrink" in done.stderr


def test_ctrl_c_lets_a_shrinking_run_end_and_a_second_one_does_not() -> None:
    before = signal.getsignal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), Looking("I3 TWICE") as looking:
        os.kill(os.getpid(), signal.SIGINT)
        assert looking.interrupted
        os.kill(os.getpid(), signal.SIGINT)

    assert signal.getsignal(signal.SIGINT) is before
