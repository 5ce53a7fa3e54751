"""Bad input to the command line: one line that names what is wrong, and the documented code."""

import json
import os
import resource
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.scenarios.commanding import wavetank


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("runs")
    done = wavetank("run", "nine_deposits", "--seed", "7", "--runs", str(runs))
    assert done.returncode == 0, done.stderr
    return runs / "nine_deposits" / "7"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "nosuch"), "no scenario is called 'nosuch' (wavetank list shows them all)"),
        (("hunt", "nosuch", "--seeds", "1"), "no scenario is called 'nosuch'"),
        (("run", "nine_deposits", "--seed", "seven"), "'seven' is not a valid integer"),
        (("run", "nine_deposits", "--seed", "-1"), "-1 is not in the range"),
        (("hunt", "nine_deposits", "--seeds", "1", "--minutes", "1"), "exclude each other"),
        (("replay", "nonsense"), "'nonsense' is neither a token (wt1:...), a seed nor a run"),
        (("replay", "wt9:x:y:1:z"), "'wt9' is not a token format this version knows"),
        (("replay", "wt1:nine_deposits"), "is not wt1:SCENARIO:DIGEST:SEED:VERSIONS"),
        (("replay", "7", "--runs", "/nowhere"), "no run of seed 7 is kept"),
        (("replay", "7", "--scenario", "nine_deposits", "--until", "-1"), "'-1' is no time"),
        (("replay", "7", "--scenario", "nine_deposits", "--until", "1e400"), "is no time"),
        (("replay", ""), "'' is neither a token"),
        (("replay", "wt1:nosuch:d:1:v"), "no scenario is called 'nosuch'"),
        (("replay", "wt1:nine_deposits:d:" + "9" * 5_000 + ":v"), "is no seed: it is a number"),
        (("replay", "9" * 5_000), "is no seed: it is a number"),
        (("replay", "x" * 5_000), "is neither a token (wt1:...), a seed nor a run"),
        (("report", "/nowhere"), "'/nowhere' is no folder"),
        (("report", ""), "'' is no folder"),
        (("report", "x" * 5_000), "is no folder"),
        (("frobnicate",), "No such command 'frobnicate'"),
    ],
)
def test_a_mistake_on_the_command_line_is_named(arguments: tuple[str, ...], says: str) -> None:
    done = wavetank(*arguments)

    assert done.returncode == 2
    assert says in done.stderr


def test_a_token_of_another_version_names_the_versions(kept: Path) -> None:
    found = (kept / "report.txt").read_text() + (kept / "evidence" / "about.json").read_text()
    token = next(word for word in found.split('"') if word.startswith("wt1:"))
    other = token.replace("simpy=", "simpy=0.")

    done = wavetank("replay", other, "--runs", str(kept.parents[1]))

    assert done.returncode == 2
    assert "the token is of another version" in done.stderr
    assert "simpy: 0." in done.stderr


@pytest.mark.parametrize("name", ["records.jsonl", "about.json", "manifest.json"])
def test_a_damaged_run_folder_is_refused_by_name(kept: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(kept, folder)
    path = folder / "evidence" / name
    text = path.read_bytes()
    path.write_bytes(text[: len(text) // 2])

    done = wavetank("report", str(folder))

    assert done.returncode == 2
    assert name in done.stderr


def test_a_report_that_finds_no_room_is_shown_and_leaves_what_was_there(kept: Path) -> None:
    before = {path: path.read_bytes() for path in kept.rglob("*") if path.is_file()}

    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    runs = str(kept.parents[1])
    done = wavetank("run", "nine_deposits", "--seed", "7", "--runs", runs, limit=small_files)

    assert done.returncode == 75
    assert "File too large" in done.stderr
    assert "HELD  nine_deposits, seed 7" in done.stdout
    assert "look " not in done.stdout
    assert {path: path.read_bytes() for path in kept.rglob("*") if path.is_file()} == before


def test_a_campaign_that_finds_no_room_is_still_told(tmp_path: Path) -> None:
    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))

    what = ("hunt", "nine_deposits", "--seeds", "2", "--jobs", "1", "--runs", str(tmp_path))
    done = wavetank(*what, limit=small_files)

    assert done.returncode == 75
    assert "2 held" in done.stdout
    assert "File too large; the summary above is complete" in done.stderr
    assert not [path for path in tmp_path.rglob("*") if path.is_file()], "nothing half written"


def test_a_hunt_that_cannot_keep_its_campaign_says_so_before_it_begins(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")

    done = wavetank("hunt", "nine_deposits", "--runs", str(tmp_path / "runs" / "x"))

    assert done.returncode == 75
    assert "Not a directory" in done.stderr
    assert "name another place with --runs" in done.stderr
    assert done.stdout == ""


def test_an_interrupted_hunt_leaves_its_partial_result(tmp_path: Path) -> None:
    what = ("hunt", "nine_deposits", "--minutes", "5", "--jobs", "1", "--runs", str(tmp_path))

    def interrupt(pid: int) -> None:
        time.sleep(3)
        os.killpg(pid, signal.SIGINT)

    done = wavetank(*what, meanwhile=interrupt)

    (page,) = tmp_path.rglob("campaign.html")
    data = json.loads(page.with_suffix(".json").read_bytes())
    assert done.returncode == 130, done.stderr
    assert "interrupted" in done.stdout
    assert str(page) in done.stdout
    assert data["interrupted"]
    assert f"nine_deposits: {data['seeds']} seeds" in done.stdout
    assert "Interrupted" in page.read_text()
