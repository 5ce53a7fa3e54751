"""Processes of ours: signalled, started again, dead with their starter, heard at their end."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from scenarios.backends.base import Address, Role
from scenarios.backends.processes import Child, ProcessServer
from scenarios.errors import Infrastructure

HERE = Address("127.0.0.1", 1)


class Sleeper(ProcessServer):
    script = "echo awake; exec sleep 600"

    def command(self) -> Sequence[str]:
        return ("sh", "-c", self.script)

    def wait_until_served(self) -> None:
        self.wait_for(lambda: self.said("awake"), timeout_s=20)


class Failing(Sleeper):
    script = "echo 'no room left'; exit 3"


def status(pid: int) -> str:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return fields[0]


@pytest.fixture
def sleeper(tmp_path: Path) -> Sleeper:
    return Sleeper("kafka-1", Role.KAFKA, HERE, tmp_path / "kafka-1")


def test_a_server_is_killed_paused_and_started_again(sleeper: Sleeper) -> None:
    sleeper.start()
    first = sleeper.pid
    assert first is not None
    sleeper.pause()
    sleeper.wait_for(lambda: status(first) == "T", timeout_s=20)
    sleeper.resume()
    sleeper.wait_for(lambda: status(first) == "S", timeout_s=20)
    sleeper.kill()
    assert not sleeper.alive
    assert sleeper.pid is None
    sleeper.start()
    assert sleeper.pid not in (None, first)
    sleeper.terminate()
    assert not sleeper.alive


def test_a_paused_server_can_be_terminated(sleeper: Sleeper) -> None:
    sleeper.start()
    sleeper.pause()
    sleeper.terminate()
    assert not sleeper.alive


def test_a_server_that_dies_at_start_is_reported_with_its_last_words(tmp_path: Path) -> None:
    failing = Failing("kafka-1", Role.KAFKA, HERE, tmp_path / "kafka-1")
    with pytest.raises(Infrastructure, match=r"kafka-1 .*exit code 3(.|\n)*no room left"):
        failing.start()


def test_a_server_that_cannot_be_executed_is_reported(tmp_path: Path) -> None:
    child = Child(["/no/such/program"], tmp_path, tmp_path / "log")
    assert child.end(signal.SIGCONT) != 0
    assert "/no/such/program" in (tmp_path / "log").read_text(encoding="utf-8")


_OWNER = """
import sys, threading
from pathlib import Path
from scenarios.backends.processes import Child
made = []
start = lambda: made.append(Child(["sleep", "600"], Path("."), Path("log")))
starter = threading.Thread(target=start)
starter.start()
starter.join()
print(made[0].pid, flush=True)
sys.stdin.read()
"""


def test_a_server_outlives_the_thread_that_started_it_and_dies_with_our_process(
    tmp_path: Path,
) -> None:
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", _OWNER],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        watched = os.pidfd_open(pid)
        assert status(pid) in "SR"
        owner.kill()
        ended, _, _ = select.select([watched], [], [], 20)
        os.close(watched)
    assert ended
