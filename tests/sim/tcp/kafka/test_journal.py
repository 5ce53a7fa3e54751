from pathlib import Path

import pytest

from sim.kafka.cluster.group import Commit, Group, Stored, StoredMember
from sim.machine import Record
from sim.tcp.kafka.groups import GroupJournal, Groups
from sim.tcp.kafka.journal import Journal, replace
from sim.tcp.kafka.segments import Damaged

MEMBER = StoredMember("m", "client", "/127.0.0.1", 10_000, 60_000, "range", b"sub", b"assigned")


def reopened(path: Path) -> Groups:
    groups: Groups = {}
    journal = GroupJournal(Journal(path), groups)
    journal.open()
    journal.close()
    return groups


def written(path: Path) -> Groups:
    """Let a group come and commit, another come and go; return what there is then."""
    groups: Groups = {"g": Group("g"), "gone": Group("gone")}
    journal = GroupJournal(Journal(path), groups)
    groups["g"].stored = Stored(3, "consumer", "range", "m", -1, (MEMBER,))
    groups["g"].commits["t", 1] = Commit(7, 2, "why", 1000)
    for record in (
        Record("commit", "gone", "t", 0, 1, 0, "", 1),
        Record("commit", "g", "t", 0, 5, 0, "", 1),
        Record("commit", "g", "t", 1, *groups["g"].commits["t", 1]),
        Record("append", "t", 0, 1, b""),
        Record("group", "g", "Stable", 3, "whatever"),
        Record("expire", "g", "t", 0),
        Record("group", "gone", "deleted", 1),
    ):
        journal.add(record)
    journal.flush(sync=True)
    journal.close()
    return groups


def test_groups_are_what_they_were(tmp_path: Path) -> None:
    path = tmp_path / "groups"
    before = written(path)

    for _ in range(2):  # as written, and as compacted
        after = reopened(path)

        assert list(after) == ["g"]
        assert after["g"].stored == before["g"].stored
        assert after["g"].commits == before["g"].commits


def test_a_torn_entry_is_cut_off_and_damage_before_it_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "groups"
    written(path)
    content = path.read_bytes()

    path.write_bytes(content[:-3])
    assert sorted(reopened(path)) == ["g", "gone"]  # that it went was the last entry
    path.write_bytes(content.replace(b"why", b"wha"))
    with pytest.raises(Damaged, match="damaged at byte"):
        reopened(path)


def test_a_replaced_file_leaves_nothing_beside_it(tmp_path: Path) -> None:
    for content in (b"one", b"two"):
        replace(tmp_path / "file", content, sync=True)

    assert (tmp_path / "file").read_bytes() == b"two"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
