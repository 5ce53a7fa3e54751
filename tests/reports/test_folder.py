"""Run folders: equal bytes, refused when damaged, and nothing lost when a disk is full."""

import errno
from pathlib import Path

import pytest

from reports.evidence import Evidence
from reports.folder import EVIDENCE, FORMAT, FolderError, load, to_files, write_files
from reports.judge import judge
from reports.pages.writing import write_run
from tests.reports.build import lively


def folder(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", judge(lively().evidence()), extra={"plan.py": b"()"})


def test_what_was_written_is_what_is_read(tmp_path: Path) -> None:
    path = folder(tmp_path)
    assert load(path) == lively().evidence()
    assert judge(load(path)).verdict == "held"
    assert (path / "plan.py").read_bytes() == b"()"
    assert (path / "report.html").exists()


def test_equal_evidence_gives_equal_bytes() -> None:
    assert to_files(lively().evidence()) == to_files(lively().evidence())


@pytest.mark.parametrize(
    ("file", "damage", "message"),
    [
        ("rows.jsonl", lambda d: d.replace(b'"seq":', b'"sqe":', 1), r"rows.jsonl: line 1: .*sqe"),
        ("rows.jsonl", lambda d: d.replace(b'"avail":1', b'"avail":2', 1), "line 1: was changed"),
        ("rows.jsonl", lambda d: d[:-10], r"rows.jsonl: line 12: cut off"),
        ("rows.jsonl", lambda d: d[: d.rindex(b"\n", 0, -1) + 1], r"line 12: 11 lines"),
        ("rows.jsonl", lambda d: d + b"{}\n", r"line 13: 13 lines"),
        ("rows.jsonl", lambda d: b"\xff\xfe" + d, r"rows.jsonl: line 1"),
        ("manifest.json", lambda d: d[:40], r"manifest.json: line 1"),
        ("manifest.json", lambda d: d.replace(b'"format":%d' % FORMAT, b'"format":9'), r"format 9"),
        ("about.json", lambda d: b"{}\n", r"about.json: line 1"),
    ],
)
def test_a_damaged_folder_is_refused_naming_file_and_line(
    tmp_path: Path, file: str, damage: object, message: str
) -> None:
    path = folder(tmp_path) / EVIDENCE / file
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(FolderError, match=message):
        load(tmp_path / "run")


# What FORMAT stands for: a folder of another version is told from a damaged one by it.
KINDS = """
    about operations answers reads listings records logs dumps restarts rows requests accounts
    outputs orders trades sides commits processes faults owed lines samples unreadable
"""


def test_other_kinds_of_evidence_are_another_format() -> None:
    assert (FORMAT, Evidence.__struct_fields__) == (5, tuple(KINDS.split()))


def test_a_missing_file_and_a_foreign_folder_are_refused(tmp_path: Path) -> None:
    path = folder(tmp_path)
    (path / EVIDENCE / "commits.jsonl").unlink()
    with pytest.raises(FolderError, match=r"commits.jsonl is missing"):
        load(path)
    with pytest.raises(FolderError, match=r"no complete run folder"):
        load(tmp_path)


def test_a_full_disk_leaves_the_old_run_and_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder(tmp_path)
    before = {p: p.read_bytes() for p in path.rglob("*") if p.is_file()}
    real = Path.write_bytes
    written = 0

    def write_bytes(self: Path, data: bytes) -> int:
        nonlocal written
        written += 1
        if written > 5:
            real(self, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device", str(self))
        return real(self, data)

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    with pytest.raises(FolderError, match=r"No space left on device .*nothing was changed"):
        folder(tmp_path)
    monkeypatch.undo()
    assert {p: p.read_bytes() for p in path.rglob("*") if p.is_file()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_a_place_that_cannot_be_written_gives_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FolderError, match="cannot write the run folder"):
        write_files(tmp_path / "file" / "run", {"a": b""})


def test_a_folder_that_is_no_run_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_bytes(b"years of work")
    with pytest.raises(FolderError, match="is no run folder"):
        write_files(tmp_path / "home", {"a": b""})
    assert (tmp_path / "home" / "thesis.txt").read_bytes() == b"years of work"


def test_a_writer_that_died_between_two_renames_lost_nothing(tmp_path: Path) -> None:
    path = folder(tmp_path)
    path.rename(tmp_path / ".run.old")
    assert load(folder(tmp_path)) == lively().evidence()
    assert [p.name for p in tmp_path.iterdir()] == ["run"]
