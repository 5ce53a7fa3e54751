"""The journal: whatever is cut off or damaged, a node comes back as it was at some moment."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.machine import Record
from sim.scylla.cql import parser
from sim.scylla.node import Node
from sim.tcp.cql.config import Commitlog
from sim.tcp.cql.storage.directory import FORMAT, Directory, Stamp
from sim.tcp.cql.storage.frames import HEADER_BYTES, Corrupt
from sim.tcp.cql.storage.journal import Journal
from sim.tcp.cql.storage.snapshots import Snapshots
from sim.tcp.process import Stop
from tests.sim.tcp.cql.node import KEYSPACE, TABLE, Driven, content, make

_small = st.integers(0, 3)
_statement = st.one_of(
    st.builds("INSERT INTO k.t (a, b, v) VALUES ({}, {}, 'v{}')".format, _small, _small, _small),
    st.builds("UPDATE k.t SET v = null WHERE a = {} AND b = {}".format, _small, _small),
    st.builds("DELETE FROM k.t WHERE a = {} AND b = {}".format, _small, _small),
    st.builds("DELETE FROM k.t WHERE a = {} AND b > {}".format, _small, _small),
    st.builds("DELETE FROM k.t WHERE a = {}".format, _small),
    st.just("TRUNCATE k.t"),
    st.just("DROP TABLE k.t"),
)
_statements = st.lists(_statement, min_size=1, max_size=8)


@pytest.fixture(scope="module")
def path() -> Iterator[Path]:
    made = Path(mkdtemp())
    yield made
    shutil.rmtree(made)


def fresh(path: Path) -> Path:
    shutil.rmtree(path)
    path.mkdir()
    return path


def opened(path: Path, node: Node, **settings: Any) -> Journal:
    return Journal(path, node, Commitlog(**settings))


def recovered(path: Path, names: tuple[str, ...] = ("db-1",)) -> Node:
    node = make(names)
    opened(path, node).log.close()
    return node


def has_table(node: Node) -> bool:
    return "t" in node.schema.keyspaces["k"].tables


def lived(path: Path, statements: list[str]) -> tuple[Journal, list[Any]]:
    """Run statements on a node with a journal; return it and what the node was after each."""
    node = make()
    journal = opened(path, node)
    was = [content(node)]
    driven = Driven(node)
    journal.persist(driven.records)
    was.append(content(node))
    for statement in (KEYSPACE, TABLE, *statements):
        if statement in {KEYSPACE, TABLE} or has_table(node):
            journal.persist(driven.execute(statement))
            was.append(content(node))
    return journal, was


@settings(max_examples=30, deadline=None)
@given(_statements)
def test_a_node_comes_back_as_it_was(path: Path, statements: list[str]) -> None:
    journal, was = lived(fresh(path), statements)
    journal.log.close()
    assert content(recovered(path)) == was[-1]
    assert content(recovered(path)) == was[-1]


@settings(max_examples=30, deadline=None)
@given(_statements, st.data())
def test_a_log_cut_off_anywhere_brings_an_earlier_moment_back(
    path: Path, statements: list[str], data: st.DataObject
) -> None:
    journal, was = lived(fresh(path), statements)
    journal.log.close()
    log = path / "commitlog-00000001"
    size = data.draw(st.integers(HEADER_BYTES, log.stat().st_size))
    log.write_bytes(log.read_bytes()[:size])
    back = content(recovered(path))
    assert back in was
    assert content(recovered(path)) == back


@settings(max_examples=30, deadline=None)
@given(_statements, st.data())
def test_rot_where_the_log_was_durable_is_refused_and_nothing_is_touched(
    path: Path, statements: list[str], data: st.DataObject
) -> None:
    node = make()
    journal = opened(fresh(path), node)
    driven = Driven(node)
    starts = [journal.log.size]
    for statement in (KEYSPACE, TABLE):
        journal.persist(driven.execute(statement))
        starts.append(journal.log.size)
    journal.log.close()
    log = path / "commitlog-00000001"
    rotten = bytearray(log.read_bytes())
    place = data.draw(st.integers(starts[0], starts[1] - 1))
    rotten[place] ^= data.draw(st.integers(1, 255))
    log.write_bytes(rotten)
    with pytest.raises(Corrupt) as caught:
        recovered(path)
    assert f"{log} is damaged at offset {starts[0]}" in str(caught.value)
    assert log.read_bytes() == rotten


def test_what_a_later_power_loss_left_of_unsynced_frames_is_a_torn_tail(path: Path) -> None:
    node = make()
    journal = opened(fresh(path), node, sync="periodic")
    driven = Driven(node)
    journal.persist(driven.records + driven.execute(KEYSPACE) + driven.execute(TABLE))
    before = content(node)
    sizes = []
    for number in range(3):
        sizes.append(journal.log.size)
        journal.persist(driven.execute(f"INSERT INTO k.t (a, b, v) VALUES (1, {number}, 'x')"))
    journal.log.flush()  # written, never synced: any page of it may be missing
    journal.log.close()
    log = path / "commitlog-00000001"
    torn = bytearray(log.read_bytes())
    torn[sizes[0] : sizes[1]] = bytes(sizes[1] - sizes[0])
    log.write_bytes(torn)
    assert content(recovered(path)) == before


def test_a_periodic_log_keeps_writes_in_memory_until_its_sync(path: Path) -> None:
    node = make()
    journal = opened(fresh(path), node, sync="periodic")
    driven = Driven(node)
    journal.persist(driven.records + driven.execute(KEYSPACE) + driven.execute(TABLE))
    before = content(node)
    journal.persist(driven.execute("INSERT INTO k.t (a, b, v) VALUES (1, 1, 'x')"))
    log = path / "commitlog-00000001"
    copy = path.parent / (path.name + "-copy")
    copy.mkdir(exist_ok=True)
    shutil.copy(log, copy)  # what a kill would leave
    assert content(recovered(copy)) == before
    journal.log.sync()
    shutil.copy(log, copy)
    assert content(recovered(copy)) == content(node) != before
    shutil.rmtree(copy)


def test_hints_come_back_and_those_delivered_do_not(path: Path) -> None:
    names = ("db-1", "db-2")
    node = make(names)
    for text in (KEYSPACE.replace(": 1", ": 2"), TABLE):
        node.schema, _ = node.schema.changed(parser.parse(text), None, node.ring.datacenters)
    journal = opened(fresh(path), node)
    driven = Driven(node)
    node.detector.down_since["db-2"] = 0
    journal.persist([*driven.records, Record("cql-schema", b"")])
    for number in range(4):
        text = f"INSERT INTO k.t (a, b, v) VALUES ({number}, 0, 'x')"
        journal.persist(driven.execute(text))
    hints = node.hints.kept["db-2"]
    node.hints.delivered(node.machinery, "db-2", min(hints))
    journal.persist([effect for effect in node.machinery.flush() if isinstance(effect, Record)])
    journal.log.close()
    back = recovered(path, names)
    assert len(hints) == 3
    assert content(back) == content(node)
    assert back.machinery.new_id() > max(hints)


@settings(max_examples=15, deadline=None)
@given(_statements, _statements)
def test_a_snapshot_stands_for_the_log_before_it(
    path: Path, before: list[str], after: list[str]
) -> None:
    stamp = Stamp(FORMAT, "c", "db-1", ("db-1",))
    directory = Directory(fresh(path), stamp)
    node = make()
    journal = opened(path, node)
    driven = Driven(node)
    snapshots = Snapshots(directory, node, journal)
    journal.persist(driven.records + driven.execute(KEYSPACE) + driven.execute(TABLE))
    for statement in before:
        if has_table(node):
            journal.persist(driven.execute(statement))
    snapshots.begin()
    for statement in after:
        if has_table(node):
            journal.persist(driven.execute(statement))
    snapshots.reap(0)
    journal.log.close()
    directory.unlock()
    files = {"commitlog-00000002", "snapshot-00000002"}
    assert {each.name for each in path.iterdir()} == {*files, "lock", "stamp.json"}
    assert content(recovered(path)) == content(node)


def test_a_snapshot_that_was_cut_short_changes_nothing(path: Path) -> None:
    directory = Directory(fresh(path), Stamp(FORMAT, "c", "db-1", ("db-1",)))
    node = make()
    journal = opened(path, node)
    driven = Driven(node)
    snapshots = Snapshots(directory, node, journal)
    journal.persist(driven.records + driven.execute(KEYSPACE) + driven.execute(TABLE))
    journal.persist(driven.execute("INSERT INTO k.t (a, b, v) VALUES (1, 1, 'before')"))
    journal.rotate()
    journal.persist(driven.execute("INSERT INTO k.t (a, b, v) VALUES (2, 2, 'after')"))
    journal.log.close()
    (path / "snapshot-00000002.tmp").write_bytes(b"the beginning of one")
    snapshots.stop()
    directory.unlock()
    assert content(recovered(path)) == content(node)
    assert not (path / "snapshot-00000002.tmp").exists()


def test_a_missing_part_of_the_log_is_refused_by_its_name(path: Path) -> None:
    node = make()
    journal = opened(fresh(path), node)
    driven = Driven(node)
    journal.persist(driven.records + driven.execute(KEYSPACE))
    journal.rotate()
    journal.persist(driven.execute(TABLE))
    journal.log.close()
    (path / "commitlog-00000001").unlink()
    with pytest.raises(Stop, match="commitlog-00000001 is missing"):
        recovered(path)
