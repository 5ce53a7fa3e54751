"""A loss of power takes what no sync has covered, and nothing else."""

import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.stages.real.power import undo
from sim.doors.through.power import PAGE, Ledger
from system.wal.reader import read
from system.wal.writer import Shape, Writer

CALLED = "/var/lib/ubscore"


class Desk:
    """A data directory whose syncs are kept account of, by hand."""

    def __init__(self, folder: Path) -> None:
        self.home, self.path = folder / "data", folder / "syncs.ledger"
        self.home.mkdir(parents=True)
        self.begin()

    def begin(self) -> None:
        self.ledger = Ledger(str(self.path), str(self.home))

    def write(self, name: str, content: bytes, *, sync: bool) -> None:
        with (self.home / name).open("ab") as file:
            file.write(content)
            file.flush()
            if sync:
                self.ledger.synced(file.fileno())

    def fail(self, name: str) -> None:
        with (self.home / name).open("ab") as file:
            self.ledger.failed(file.fileno())

    def sync_names(self) -> None:
        descriptor = os.open(self.home, os.O_RDONLY)
        self.ledger.synced(descriptor)
        os.close(descriptor)

    def remove(self, name: str) -> None:
        self.ledger.going(self.home / name)
        (self.home / name).unlink()

    def rename(self, name: str, to: str) -> None:
        self.ledger.going(self.home / to)
        (self.home / name).rename(self.home / to)

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.home.iterdir()}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@given(st.binary(max_size=40), st.binary(max_size=40), st.integers())
def test_synced_bytes_stay_and_of_the_others_a_first_part(
    tmp_path_factory: pytest.TempPathFactory, synced: bytes, rest: bytes, seed: int
) -> None:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    desk.write("log", synced, sync=True)
    desk.write("log", rest, sync=False)
    desk.sync_names()

    damage = undo(desk.home, desk.path, CALLED, random.Random(seed))

    left = desk.files()["log"]
    assert left.startswith(synced)
    assert (synced + rest).startswith(left)
    assert damage.bytes_lost == len(synced + rest) - len(left)


@given(st.integers())
def test_names_come_back_and_go_unless_the_directory_was_synced(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    desk.write("old", b"1", sync=True)
    desk.sync_names()
    desk.write("new.tmp", b"2", sync=True)
    desk.rename("new.tmp", "new")
    desk.remove("old")

    damage = undo(desk.home, desk.path, CALLED, random.Random(seed))

    assert desk.files() in ({"old": b"1"}, {"new": b"2"})
    assert bool(damage.undone) == (desk.files() == {"old": b"1"})


@given(st.integers())
def test_a_file_that_took_the_name_of_another_gives_it_back(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    desk.write("table", b"1", sync=True)
    desk.sync_names()
    desk.write("table.tmp", b"2", sync=True)
    desk.rename("table.tmp", "table")

    undo(desk.home, desk.path, CALLED, random.Random(seed))

    assert desk.files() in ({"table": b"1"}, {"table": b"2"})


def test_after_a_loss_everything_left_is_durable(desk: Desk) -> None:
    desk.write("log", b"1", sync=False)
    desk.sync_names()
    undo(desk.home, desk.path, CALLED, random.Random(1))
    before = desk.files()

    desk.begin()
    undo(desk.home, desk.path, CALLED, random.Random(2))

    assert desk.files() == before


def test_nothing_is_undone_where_no_account_was_kept(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"1")

    assert not undo(tmp_path, tmp_path / "none", CALLED, random.Random(1)).bites


@pytest.mark.parametrize("seed", range(20))
def test_a_log_that_syncs_as_it_must_survives(
    desk: Desk, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    through = desk.ledger
    monkeypatch.setattr(os, "fsync", through.synced)
    monkeypatch.setattr(os, "fdatasync", through.synced)
    rename = os.rename

    def named(old: str, new: str) -> None:
        through.going(new)
        rename(old, new)

    monkeypatch.setattr(os, "rename", named)
    writer = Writer(str(desk.home), Shape(1, 7, 1 << 20))
    writer.format()

    undo(desk.home, desk.path, CALLED, random.Random(seed))

    contents = read(desk.files())
    assert contents.torn is None
    assert len(contents.files) == 1


@given(st.integers())
def test_what_a_failed_sync_gave_up_stays_lost_though_the_next_one_succeeds(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    desk.write("log", b"a" * 100, sync=True)
    desk.write("log", b"b" * (3 * PAGE), sync=False)
    desk.sync_names()

    desk.fail("log")
    desk.write("log", b"", sync=True)
    damage = undo(desk.home, desk.path, CALLED, random.Random(seed))

    left = desk.files()["log"]
    assert left[:100] == b"a" * 100
    assert len(left) == 100 + 3 * PAGE
    assert left.count(0) == damage.bytes_lost > 0
    assert damage.files[0].wanted.startswith(b"b")
    assert set(damage.files[0].left) <= {0, ord("b")}


def test_a_page_that_was_written_to_again_is_durable_with_the_next_sync(desk: Desk) -> None:
    desk.write("log", b"a" * 100, sync=True)
    desk.write("log", b"b" * 200, sync=False)
    desk.sync_names()

    desk.fail("log")
    desk.write("log", b"c", sync=True)
    damage = undo(desk.home, desk.path, CALLED, random.Random(1))

    assert desk.files()["log"] == b"a" * 100 + b"b" * 200 + b"c"
    assert not damage.bytes_lost
