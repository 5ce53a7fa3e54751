"""A kept run can be made again from its folder, its token or its seed, by whoever has it."""

import shutil
from pathlib import Path

import msgspec
import pytest

from reports import folder as folders
from scenarios import catalog
from scenarios.commands import running
from scenarios.stages import simulated
from tests.scenarios.commanding import wavetank

NAME, SEED = "torn_append", 5


@pytest.fixture(scope="module")
def made() -> simulated.Run:
    return simulated.run(catalog.find(NAME), SEED)


@pytest.fixture(scope="module")
def kept(made: simulated.Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(running.keep(made, str(tmp_path_factory.mktemp("runs"))))


def test_the_folder_says_the_digest_of_the_run(made: simulated.Run, kept: Path) -> None:
    about = folders.load(kept).about

    assert about.digest == made.result.digest


def test_a_folder_that_was_carried_elsewhere_is_replayed(kept: Path, tmp_path: Path) -> None:
    shutil.copytree(kept, tmp_path / "carried")

    done = wavetank("replay", str(tmp_path / "carried"), directory=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "same digest as the run folder" in done.stdout


def test_a_token_is_replayed_without_its_folder(made: simulated.Run, tmp_path: Path) -> None:
    token = made.evidence.about.token

    done = wavetank("replay", token, "--runs", str(tmp_path))

    assert done.returncode == 0, done.stderr
    assert f"same digest as a second run: {made.result.digest}" in done.stdout


def test_another_course_than_the_folders_ends_with_4(kept: Path, tmp_path: Path) -> None:
    evidence = folders.load(kept)
    other = msgspec.structs.replace(
        evidence, about=msgspec.structs.replace(evidence.about, digest="0" * 32)
    )
    files = {f"evidence/{name}": data for name, data in folders.to_files(other).items()}
    folder = folders.write_files(tmp_path / "other", files)

    done = wavetank("replay", str(folder))

    assert done.returncode == 4
    assert f"seed {SEED} of {NAME} took another course" in done.stderr
    assert f"the run folder says {'0' * 32}" in done.stderr


def test_a_replay_stops_at_a_time_and_shows_where_everything_stands(kept: Path) -> None:
    done = wavetank("replay", str(kept), "--until", "0.19")

    assert done.returncode == 0, done.stderr
    assert "at 0.190" in done.stdout.splitlines()[0]
    assert "ubscore-1" in done.stdout


def test_a_damaged_folder_is_not_replayed(kept: Path, tmp_path: Path) -> None:
    shutil.copytree(kept, tmp_path / "damaged")
    path = tmp_path / "damaged" / "evidence" / "records.jsonl"
    path.write_bytes(path.read_bytes()[:-9])

    done = wavetank("replay", str(tmp_path / "damaged"))

    assert done.returncode == 2
    assert "records.jsonl: line" in done.stderr
