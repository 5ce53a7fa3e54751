"""Short loads on servers of ours: through the gateway with a crash, and with a send that is lost."""

import json
import os
import signal
import threading
import time
from pathlib import Path

from tests.scenarios.commanding import children, wavetank


def folder_of(runs: Path, name: str) -> Path:
    (folder,) = (runs / name).glob("load-*")
    return folder


def test_everything_settles_though_ubscore_is_killed_under_load(tmp_path: Path) -> None:
    done = wavetank(
        *("load", "--rate", "40", "--duration", "3", "--warm-up", "0.5", "--fixed"),
        *("--fault", "Crash('ubscore-1')", "--at", "1.5"),
        *("--runs", str(tmp_path), "--folder", str(tmp_path / "none")),
    )

    assert done.returncode == 0, done.stdout + done.stderr
    folder = folder_of(tmp_path, "load")
    load = json.loads((folder / "load.json").read_text())
    assert load["counts"]["sent"] == load["counts"]["settled"] == 140
    assert load["bands"][0]["effects"].startswith("processes killed: 1")
    assert "<svg" in (folder / "report.html").read_text()
    assert (folder / "latency" / "settled.hgrm").stat().st_size > 100
    reconciled = json.loads((folder / "reconcile.json").read_text())
    assert reconciled["verdict"] == "held"


def test_figures_do_not_count_when_money_is_missing_and_ctrl_c_leaves_a_report(
    tmp_path: Path,
) -> None:
    def interrupt(pid: int) -> None:
        def when_under_way() -> None:
            while not list(tmp_path.rglob("stderr.1.log")):
                time.sleep(0.05)
            time.sleep(5)
            os.kill(pid, signal.SIGINT)

        threading.Thread(target=when_under_way, daemon=True).start()

    before = set(children())
    done = wavetank(
        *("load", "lost_send", "--through", "topic", "--rate", "30", "--duration", "60"),
        *("--warm-up", "0.5", "--runs", str(tmp_path), "--folder", str(tmp_path / "none")),
        meanwhile=interrupt,
    )

    assert done.returncode == 130, done.stdout + done.stderr
    load = json.loads((folder_of(tmp_path, "lost_send") / "load.json").read_text())
    assert load["interrupted"]
    assert load["verdict"] != "held"
    assert "the figures do not count" in done.stdout
    assert set(children()) <= before
