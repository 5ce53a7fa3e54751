import json
import subprocess
import sys
from pathlib import Path


def test_kill_9_under_load_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.sim.tcp.kafka.killing", str(tmp_path / "data")]
    output = subprocess.run(command, capture_output=True, timeout=90, check=True).stdout

    assert json.loads(output.splitlines()[-1]) == {
        "lost": 0,
        "twice": 0,
        "in order": True,
        "unchanged": True,
        "committed": [[17, "m"], [-1001, None]],
        "same cluster": True,
        "ended": 0,
    }
