"""Runs the command line as a person does, in a process of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
_ENVIRONMENT = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT)}
_PATIENCE = 120


def children(pid: int | None = None) -> list[int]:
    """Return the processes that `pid` (this one) started."""
    pid = pid or os.getpid()
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wavetank(
    *arguments: str,
    limit: Callable[[], None] | None = None,
    meanwhile: Callable[[int], None] | None = None,
    directory: Path = ROOT,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; `meanwhile` is called once it has a child, with its own pid.

    No traceback may reach a user, whatever happens.
    """
    command = [sys.executable, "-m", "scenarios", *arguments]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=directory,
        env=_ENVIRONMENT,
        preexec_fn=limit,  # noqa: PLW1509 - no threads here
        start_new_session=True,
    )
    if meanwhile is not None:
        deadline = time.monotonic() + _PATIENCE
        while not children(process.pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        meanwhile(process.pid)
    out, err = process.communicate(timeout=_PATIENCE)
    assert "Traceback" not in err, err
    return subprocess.CompletedProcess(command, process.returncode, out, err)
