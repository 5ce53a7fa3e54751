"""Short loads on servers of ours: with a crash, interrupted, and one whose broker dies."""

import json
import os
import signal
import threading
from pathlib import Path

from scenarios import catalog
from scenarios.backends import kinds
from scenarios.load import course
from scenarios.load.settings import Settings
from tests.scenarios.commanding import wavetank


def test_everything_settles_though_ubscore_is_killed_under_load(tmp_path: Path) -> None:
    done = wavetank(
        *("load", "--rate", "40", "--duration", "3", "--warm-up", "0.5", "--fixed"),
        *("--engines", "1", "--users", "10"),
        *("--fault", "Crash('ubscore-1')", "--at", "1.5"),
        *("--runs", str(tmp_path), "--folder", str(tmp_path / "none")),
    )

    assert done.returncode == 0, done.stdout + done.stderr
    (folder,) = (tmp_path / "load").glob("load-*")
    load = json.loads((folder / "load.json").read_text())
    assert load["counts"]["sent"] == load["counts"]["settled"] == 140
    assert load["bands"][0]["effects"].startswith("processes killed: 1")
    assert "<svg" in (folder / "report.html").read_text()
    assert (folder / "latency" / "settled.hgrm").stat().st_size > 100
    reconciled = json.loads((folder / "reconcile.json").read_text())
    assert reconciled["verdict"] == "held"


def test_an_interrupted_load_says_what_was_sent_and_that_nothing_settled(tmp_path: Path) -> None:
    def say(line: str) -> None:
        if "requests/s for" in line:
            interrupt = (os.getpid(), signal.SIGINT)
            threading.Timer(1.5, os.kill, interrupt).start()

    settings = Settings(through="topic", rate=30, lasts_s=60, warm_up_s=0.5)
    with kinds.make("embedded", tmp_path / "servers", 1, 1) as backend:
        made = course.run(settings, catalog.find("lost_send"), backend, tmp_path / "live", say=say)

    assert made.interrupted
    assert 0 < len(made.samples) < 30 * 60
    assert made.samples.settled_count == 0
    assert made.outcome is not None
    assert any("on their way" in why for why in made.unknown)


def test_what_was_measured_until_a_server_died_is_kept(tmp_path: Path) -> None:
    with kinds.make("embedded", tmp_path / "servers", 1, 1) as backend:

        def say(line: str) -> None:
            if "requests/s for" in line:
                threading.Timer(1.5, backend.brokers[0].kill).start()

        settings = Settings(through="topic", rate=30, lasts_s=60, warm_up_s=0.5)
        made = course.run(settings, catalog.find("nine_deposits"), backend, tmp_path / "l", say=say)

    assert "kafka-1" in made.died
    assert made.verdict == "unknown"
    assert made.samples.settled_count > 0
    assert any("after the start of the load kafka-1" in why for why in made.unknown)
