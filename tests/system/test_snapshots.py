"""Snapshots: whole or refused with a reason; an older whole one is used, nothing is repaired."""

import io
import os
from pathlib import Path

import pytest

from system.errors import Halt, LogError
from system.log import Log
from system.snapshots import Snapshots

STATE = b"all there is to know" * 100


def snapshots(
    path: Path, identity: int = 7, version: int = 1, said: io.StringIO | None = None
) -> Snapshots:
    return Snapshots(str(path), identity, version, Log("test", said or io.StringIO()))


def files(path: Path) -> list[str]:
    return sorted(os.listdir(path))


def test_without_any_there_is_none(tmp_path: Path) -> None:
    assert snapshots(tmp_path).latest() is None


def test_the_newest_is_read_and_one_older_is_kept(tmp_path: Path) -> None:
    for counter in (9, 10, 11):
        snapshots(tmp_path).write(counter, b"%d" % counter)

    found = snapshots(tmp_path).latest()
    assert found is not None
    assert (found.counter, bytes(found.state)) == (11, b"11")
    assert files(tmp_path) == [f"snapshot-{counter:020}.bin" for counter in (10, 11)]


@pytest.mark.parametrize("size", [0, 1, 43, 44, 47, 48, 49, len(STATE) - 1])
def test_a_truncated_one_is_refused_and_the_older_one_used(tmp_path: Path, size: int) -> None:
    said = io.StringIO()
    ours = snapshots(tmp_path, said=said)
    ours.write(1, b"older")
    ours.write(2, STATE)
    os.truncate(tmp_path / files(tmp_path)[1], size)

    found = ours.latest()

    assert found is not None
    assert bytes(found.state) == b"older"
    assert '"event":"snapshot_refused"' in said.getvalue()


def test_beside_a_new_one_the_last_whole_one_is_kept_not_a_damaged_one(tmp_path: Path) -> None:
    snapshots(tmp_path).write(1, b"whole")
    snapshots(tmp_path).write(2, STATE)
    os.truncate(tmp_path / files(tmp_path)[1], 50)
    ours = snapshots(tmp_path)
    ours.latest()

    ours.write(3, STATE)

    assert files(tmp_path) == [f"snapshot-{counter:020}.bin" for counter in (1, 3)]
    assert ours.oldest() == 1


@pytest.mark.parametrize("place", [0, 9, 13, 21, 29, 37, 41, 45, 48, 1000])
def test_a_flipped_bit_is_found_wherever_it_is(tmp_path: Path, place: int) -> None:
    snapshots(tmp_path).write(1, STATE)
    (name,) = files(tmp_path)
    content = bytearray((tmp_path / name).read_bytes())
    content[place] ^= 1
    (tmp_path / name).write_bytes(content)

    with pytest.raises(Halt, match=f"snapshot_damaged: {name}"):
        snapshots(tmp_path).latest()


def test_a_newer_version_or_another_directorys_halts(tmp_path: Path) -> None:
    snapshots(tmp_path).write(1, STATE, version=2)

    with pytest.raises(Halt, match=r"snapshot_version: .* run the version that wrote it.*"):
        snapshots(tmp_path).latest()
    with pytest.raises(Halt, match=r"snapshot_foreign: .* another data directory"):
        snapshots(tmp_path, identity=8, version=2).latest()


def test_one_that_does_not_read_as_written_stops_and_the_older_ones_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = snapshots(tmp_path)
    for counter in (1, 2):
        ours.write(counter, STATE)

    def lying(path: str, content: bytes) -> None:
        Path(path).write_bytes(content[:-1])

    monkeypatch.setattr("system.snapshots.write_durably", lying)
    with pytest.raises(LogError, match="does not read as it was written"):
        ours.write(3, STATE)
    found = ours.latest()
    assert found is not None
    assert found.counter == 2


def test_what_an_interrupted_write_left_is_removed(tmp_path: Path) -> None:
    ours = snapshots(tmp_path)
    ours.write(1, STATE)
    (tmp_path / "snapshot-00000000000000000002.bin.tmp").write_bytes(STATE[:5])
    (tmp_path / "balances.json.tmp").write_bytes(b"")

    ours.clean()

    assert files(tmp_path) == ["balances.json.tmp", "snapshot-00000000000000000001.bin"]
