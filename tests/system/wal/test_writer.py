"""What the writer promises, and what it does when the disk fails."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from system.errors import LogError
from system.wal import reader
from system.wal.frames import EpochFrame
from system.wal.writer import Writer
from tests.system.wal.logs import SHAPE, SMALL, batch, bodies, files, mark, marks, opened


class Crash(Exception):
    """The process dies here."""


def test_opening_again_and_again_keeps_everything(tmp_path: Path) -> None:
    expected: list[int] = []
    for life in range(5):
        writer = opened(tmp_path, SMALL)
        for number in range(life * 10, life * 10 + 4):
            batch(writer, number)
            expected.append(number)
        writer.append(mark(999))  # never committed
        assert marks(files(tmp_path)) == expected
    epochs = [body.counter for body in bodies(files(tmp_path)) if isinstance(body, EpochFrame)]
    assert epochs == [1, 2, 3, 4, 5]


def test_what_is_appended_during_a_sync_is_written_by_the_next_commit(tmp_path: Path) -> None:
    writer = opened(tmp_path, SMALL)
    for number in range(20):  # over several files: each begins behind what was synced
        writer.append(mark(number))
        writer.finish()
        assert number not in marks(files(tmp_path))
        writer.begin()
        assert marks(files(tmp_path)) == list(range(number + 1))
    writer.finish()
    assert len(files(tmp_path)) > 1
    writer.close()
    assert marks(files(tmp_path)) == list(range(20))


def test_a_sync_that_fails_in_its_thread_is_a_log_error_and_nothing_is_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = opened(tmp_path)
    before = writer.synced_lsn

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", fail)
    writer.append(mark(1))
    writer.begin()
    with pytest.raises(LogError, match="syncing the log"):
        writer.finish()
    assert writer.synced_lsn == before


def test_a_torn_tail_is_gone_after_opening_and_its_number_is_used_again(tmp_path: Path) -> None:
    writer = opened(tmp_path)
    batch(writer, 1)
    (name,) = files(tmp_path)
    whole = files(tmp_path)[name]
    batch(writer, 2)
    half = files(tmp_path)[name][: len(whole) + 17]
    (tmp_path / name).write_bytes(half)
    batch(opened(tmp_path), 3)
    assert marks(files(tmp_path)) == [1, 3]
    assert reader.read(files(tmp_path)).torn is None
    assert list(files(tmp_path)) != [name]


@pytest.mark.parametrize("step", ["sync_directory", "discard", "_create"])
@pytest.mark.parametrize("after", [False, True])
def test_a_crash_during_recovery_changes_nothing(tmp_path: Path, step: str, after: bool) -> None:
    writer = opened(tmp_path, SMALL)
    for number in range(7):
        batch(writer, number)
    real: Callable[..., None] = getattr(Writer, step)

    def crash(self: Writer, *arguments: object) -> None:
        if after:
            real(self, *arguments)
        raise Crash

    dying = type("Dying", (Writer,), {step: crash})
    for _ in range(2):
        with pytest.raises(Crash):
            opened(tmp_path, SMALL, dying)
        assert marks(files(tmp_path)) == list(range(7))
    batch(opened(tmp_path, SMALL), 7)
    assert marks(files(tmp_path)) == list(range(8))


def test_a_superseded_file_counts_no_more_even_if_damaged(tmp_path: Path) -> None:
    writer = opened(tmp_path)
    batch(writer, 1)
    old = files(tmp_path)
    opened(tmp_path)
    for damaged in (bytes(300), b"", *(data[:-9] for data in old.values())):
        assert marks({**files(tmp_path), next(iter(old)): damaged}) == [1]


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data[:7])))
    batch(opened(tmp_path), 1, 2, 3)
    assert marks(files(tmp_path)) == [1, 2, 3]


@pytest.mark.parametrize("call", ["write", "fdatasync", "fsync", "rename", "unlink", "close"])
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_any_error_of_the_disk_is_a_log_error_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    opened(tmp_path, SMALL)

    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    def session() -> None:
        writer = opened(tmp_path, SMALL)
        for number in range(5):
            batch(writer, number)

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(LogError, match=os.strerror(code)):
        session()
    monkeypatch.undo()
    found = marks(files(tmp_path))
    assert found == list(range(len(found)))


def test_a_batch_that_could_not_be_a_torn_tail_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("system.wal.writer.MAX_UNSYNCED", 100)
    writer = opened(tmp_path, SHAPE)
    with pytest.raises(LogError, match="fewer commands at once"):
        batch(writer, *range(10))
