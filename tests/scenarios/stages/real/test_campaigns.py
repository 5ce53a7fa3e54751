"""Campaigns with real processes, as a person starts them: a hunt, and the table of controls."""

import re
from pathlib import Path

import pytest

from tests.scenarios.commanding import wavetank

pytestmark = pytest.mark.real


def test_a_hunt_says_what_each_seed_came_to_and_leaves_a_page(tmp_path: Path) -> None:
    done = wavetank(
        *("hunt", "nine_deposits", "--stage", "real", "--kind", "embedded"),
        *("--seeds", "2", "--runs", str(tmp_path)),
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "seed 1 held" in done.stderr
    assert "seed 2 held" in done.stderr
    (page,) = tmp_path.glob("nine_deposits/campaign-*/*.html")
    assert "embedded" in page.read_text(encoding="utf-8")


def test_a_planted_bug_breaks_and_a_sound_story_holds_on_both_stages(tmp_path: Path) -> None:
    chosen = ("lost_send", "nine_deposits")
    done = wavetank(
        *("controls", "--stage", "real", "--kind", "embedded", "--nodes", "1"),
        *("--seeds", "1", "--attempts", "1", "--sound", "1", "--jobs", "1"),
        *("--runs", str(tmp_path)),
        *chosen,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    said = [" ".join(line.split()) for line in done.stdout.splitlines()]
    bug, story = (line for line in said if line.startswith(chosen))
    assert re.fullmatch(r"lost_send I3, seed 1 I3 1: \d+ \((\d+)/\1\)", bug)
    assert re.fullmatch(r"nine_deposits 1 of 1 held 1 of 1 held 1: \d+", story)
