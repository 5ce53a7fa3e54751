"""Data directories: one process at a time, one node for good."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sim.tcp.cql.storage.directory import FORMAT, Directory, Stamp
from sim.tcp.process import Stop

_STAMP = Stamp(FORMAT, "wavetank", "db-1", ("db-1", "db-2"))


def test_a_directory_is_opened_again_by_the_node_it_belongs_to(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "data"
    Directory(place, _STAMP).unlock()
    Directory(place, _STAMP).unlock()
    assert {each.name for each in place.iterdir()} == {"lock", "stamp.json"}


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    first = Directory(tmp_path, _STAMP)
    with pytest.raises(Stop, match="locked by another running node"):
        Directory(tmp_path, _STAMP)
    first.unlock()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"node": "db-2"}, "is that of node db-1, not of db-2"),
        ({"cluster": "other"}, "is that of cluster wavetank, not of other"),
        ({"nodes": ("db-1",)}, "is that of nodes db-1, db-2, not of db-1"),
    ],
)
def test_a_directory_of_somebody_else_is_refused(
    tmp_path: Path, changes: dict[str, Any], why: str
) -> None:
    Directory(tmp_path, _STAMP).unlock()
    with pytest.raises(Stop, match=why):
        Directory(tmp_path, msgspec.structs.replace(_STAMP, **changes))


@dataclass
class _Case:
    file: str
    content: str
    why: str


@pytest.mark.parametrize(
    "case",
    [
        _Case("stamp.json", '{"format":99,"cluster":"c","node":"n","nodes":[]}', "has format 99"),
        _Case("stamp.json", "{", "cannot be read"),
        _Case("letters.txt", "dear", "belongs to no CQL node, but holds letters.txt"),
    ],
)
def test_a_directory_that_is_no_node_s_is_refused_and_left_alone(
    tmp_path: Path, case: _Case
) -> None:
    (tmp_path / case.file).write_text(case.content)
    with pytest.raises(Stop, match=case.why):
        Directory(tmp_path, _STAMP)
    assert (tmp_path / case.file).read_text() == case.content


def test_a_place_where_no_directory_can_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Stop, match="cannot use data directory"):
        Directory(tmp_path / "file", _STAMP)
