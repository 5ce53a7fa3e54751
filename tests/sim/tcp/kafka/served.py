"""Brokers as processes of their own, for tests."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from sim.tcp.kafka.config import Config

FAST: dict[str, int | bool] = {"group_initial_rebalance_delay_ms": 50, "group_load_ms": 0}


class Served:
    """One process; its directory outlives it."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.path = path
        self.options: dict[str, Any] = {"directory": str(path), "settings": FAST} | options
        self.ready: dict[str, Any] = {}
        self.start()

    def start(self) -> None:
        """Start, or start again on the same port."""
        self.path.parent.mkdir(exist_ok=True)
        file = self.path.with_suffix(".json")
        Config(**self.options).write(file)
        command = [sys.executable, "-m", "sim.tcp", "kafka", "--config", str(file)]
        with self.path.with_suffix(".log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--die-with-parent"], stdout=subprocess.PIPE, stderr=log
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log()
        self.ready = json.loads(line)
        for name in {"port", "controller_port"} & set(self.ready):
            self.options[name] = self.ready[name]

    @property
    def bootstrap(self) -> str:
        """Where clients find it."""
        return f"127.0.0.1:{self.ready['port']}"

    def log(self) -> str:
        """What it has said on standard error."""
        return self.path.with_suffix(".log").read_text()

    def kill(self) -> None:
        """kill -9."""
        self.end(signal.SIGKILL)

    def end(self, number: int = signal.SIGTERM) -> int:
        """End it; return the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.kill()


def outcome(path: Path, **options: Any) -> tuple[int, str]:
    """Run a process that is not expected to serve; return its exit code and what it says."""
    file = path.with_suffix(".json")
    file.write_text(json.dumps({"directory": str(path)} | options))
    command = [sys.executable, "-m", "sim.tcp", "kafka", "--config", str(file)]
    done = subprocess.run(command, capture_output=True, timeout=20, check=False)
    return done.returncode, done.stderr.decode()
