"""How a run on real servers ends when it is not let end: interrupted, killed, left by a server."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.folder import load

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[4]
_COMMAND = (sys.executable, "-m", "scenarios", "run", "chaos_deposits", "--stage", "real")
_FAR_S = 60.0


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def begin(runs: Path) -> subprocess.Popen[str]:
    """Start a run and return when its clients are at work."""
    options = ("--kind", "embedded", "--runs", str(runs), "--folder", str(runs / "none"))
    run = subprocess.Popen(
        [*_COMMAND, *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: any('"started"' in log.read_text() for log in runs.rglob("gateway-1/stderr.*")))
    time.sleep(3)  # into the harm
    return run


def until(done: Callable[[], object]) -> None:
    deadline = time.monotonic() + _FAR_S
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def processes_of(runs: Path) -> dict[int, str]:
    """Return who still runs with a file of this folder on its command line."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(runs) in command and int(path.parent.name) != os.getpid():
            found[int(path.parent.name)] = command
    return found


def test_ctrl_c_leaves_a_valid_partial_folder_and_nobody_running(runs: Path) -> None:
    run = begin(runs)

    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=_FAR_S)

    assert run.returncode == 130, err
    evidence = load(runs / "chaos_deposits" / "1-real")
    assert any("interrupted" in why for why in evidence.unreadable)
    assert "UNKNOWN" in out
    assert processes_of(runs) == {}
    assert not list(runs.glob("*/.*"))


def test_kill_9_of_the_harness_leaves_nobody_running(runs: Path) -> None:
    run = begin(runs)
    assert len(processes_of(runs)) > 4

    run.kill()
    run.communicate(timeout=_FAR_S)

    until(lambda: not processes_of(runs))


def test_a_server_that_dies_is_named_with_its_log(runs: Path) -> None:
    run = begin(runs)
    broker = next(pid for pid, command in processes_of(runs).items() if "sim.tcp kafka" in command)

    os.kill(broker, signal.SIGKILL)
    _, err = run.communicate(timeout=_FAR_S)

    assert run.returncode == 75
    assert "kafka-1" in err
    assert "died during the run: it was killed (SIGKILL" in err
    assert processes_of(runs) == {}
    log = runs / "chaos_deposits" / "1-real-failed" / "servers" / "kafka-1" / "output.log"
    assert str(log) in err
    assert "ready" in log.read_text()
    assert not list(runs.glob("*/.*"))
