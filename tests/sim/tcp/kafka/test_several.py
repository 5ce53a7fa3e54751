import json
import subprocess
import sys
from pathlib import Path


def test_three_brokers_follow_one_controller_that_may_be_away(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.sim.tcp.kafka.several", str(tmp_path)]
    output = subprocess.run(command, capture_output=True, timeout=90, check=True).stdout

    assert json.loads(output.splitlines()[-1]) == {
        "created": None,
        "again": "TOPIC_ALREADY_EXISTS",
        "leaders": [1, 2, 3],
        "epochs": [0, 0, 0],
        "epochs after a kill": [2, 0, 0],
        "committed": [97, 98, 99, 100],
        "without a controller": "REQUEST_TIMED_OUT",
        "with one again": None,
        "epochs unchanged": True,
        "ended": [0, 0, 0, 0],
    }
