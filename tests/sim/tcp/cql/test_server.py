"""Nodes as processes, asked by the real, unmodified driver over TCP."""

import json
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cassandra import ConsistencyLevel, InvalidRequest, WriteFailure
from cassandra.cluster import (
    EXEC_PROFILE_DEFAULT,
    Cluster,
    ExecutionProfile,
    NoHostAvailable,
)
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.policies import RoundRobinPolicy
from cassandra.query import SimpleStatement

from tests.sim.tcp.cql.cluster import Nodes

KEYSPACE = (
    "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': %d}"
)
PATIENCE_S = 60
TABLE = "CREATE TABLE k.t (a int, b text, v bigint, PRIMARY KEY (a, b))"


@contextmanager
def session(
    nodes: Nodes, name: str = "db-1", level: int = ConsistencyLevel.QUORUM, version: int = 4
) -> Iterator[Any]:
    profile = ExecutionProfile(RoundRobinPolicy(), consistency_level=level, request_timeout=15)
    cluster = Cluster(
        [nodes.address],
        port=nodes.ports[name],
        protocol_version=version,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        connect_timeout=30,
        control_connection_timeout=30,
    )
    try:
        yield cluster.connect()
    finally:
        cluster.shutdown()


@pytest.mark.parametrize("version", [3, 4])
def test_the_driver_writes_reads_and_pages(tmp_path: Path, version: int) -> None:
    with Nodes(tmp_path) as nodes:
        nodes.start()
        with session(nodes, version=version) as asked:
            asked.execute(KEYSPACE % 1)
            asked.execute(TABLE)
            insert = asked.prepare("INSERT INTO k.t (a, b, v) VALUES (?, ?, ?)")
            rows = [(1, f"{number:03}", number) for number in range(250)]
            execute_concurrent_with_args(asked, insert, rows)
            select = asked.prepare("SELECT * FROM k.t WHERE a = ?")
            select.fetch_size = 100
            assert [tuple(row) for row in asked.execute(select, (1,))] == rows
            assert "t" in asked.cluster.metadata.keyspaces["k"].tables
            with pytest.raises(InvalidRequest, match="unconfigured table nothing"):
                asked.execute("SELECT * FROM k.nothing")


def test_no_acknowledged_row_is_lost_by_kills(tmp_path: Path) -> None:
    acknowledged: list[int] = []
    with Nodes(tmp_path) as nodes:
        for attempt in range(3):
            nodes.start()
            with session(nodes) as asked:
                if not attempt:
                    asked.execute(KEYSPACE % 1)
                    asked.execute(TABLE)
                insert = asked.prepare("INSERT INTO k.t (a, b, v) VALUES (?, ?, ?)")
                keys = range(1000 * attempt, 1000 * attempt + 1000)
                futures = {key: asked.execute_async(insert, (key, "", key)) for key in keys}
                futures[keys[100 + 100 * attempt]].result()
                nodes.kill("db-1")  # while most of the others are under way
                for key, future in futures.items():
                    try:
                        future.result()
                    except Exception:  # noqa: BLE001 - whatever it is, it was not acknowledged
                        continue
                    acknowledged.append(key)
        nodes.start()
        with session(nodes) as asked:
            found = {row.a for row in asked.execute("SELECT a FROM k.t")}
    assert len(acknowledged) >= 300
    assert found.issuperset(acknowledged)


def test_three_nodes_are_one_cluster(tmp_path: Path) -> None:
    with Nodes(tmp_path, 3) as nodes:
        nodes.start()
        with session(nodes) as asked:
            assert {host.endpoint.port for host in asked.hosts} == set(nodes.ports.values())
            asked.execute(KEYSPACE % 3)
            asked.execute(TABLE)
            insert = asked.prepare("INSERT INTO k.t (a, b, v) VALUES (?, ?, ?)")
            nodes.kill("db-3")
            for key in range(20):
                asked.execute(insert, (key, "", key))
            delete = SimpleStatement(
                "DELETE FROM k.t WHERE a = 1", consistency_level=ConsistencyLevel.ALL
            )
            with pytest.raises(WriteFailure) as caught:
                asked.execute(delete)
            assert caught.value.failures == 1
            nodes.start("db-3")
        # Asked at ONE, a node answers from its own disk: its hints must have come.
        with session(nodes, "db-3", ConsistencyLevel.ONE) as asked:
            # That of the DELETE may come a second after those of all rows.
            expected = [key for key in range(20) if key != 1]
            deadline = time.monotonic() + PATIENCE_S
            while (found := rows_at_one(asked)) != expected:
                assert time.monotonic() < deadline, found
                time.sleep(0.1)


def rows_at_one(asked: Any) -> list[int]:
    host = next(h for h in asked.hosts if h.endpoint.port == asked.cluster.port)
    return sorted(row.a for row in asked.execute("SELECT a FROM k.t", host=host))


def test_a_log_that_has_grown_is_replaced_by_a_snapshot_while_the_node_serves(
    tmp_path: Path,
) -> None:
    with Nodes(tmp_path, bytes_max=20_000) as nodes:
        nodes.start()
        with session(nodes) as asked:
            asked.execute(KEYSPACE % 1)
            asked.execute(TABLE)
            insert = asked.prepare("INSERT INTO k.t (a, b, v) VALUES (?, ?, ?)")
            while not list((tmp_path / "db-1").glob("snapshot-????????")):
                execute_concurrent_with_args(asked, insert, [(key, "", key) for key in range(500)])
            execute_concurrent_with_args(asked, insert, [(key, "", -key) for key in range(500)])
        nodes.kill("db-1")
        nodes.start()
        assert not (tmp_path / "db-1" / "commitlog-00000001").exists()
        with session(nodes) as asked:
            found = {(row.a, row.v) for row in asked.execute("SELECT a, v FROM k.t")}
    assert found == {(key, -key) for key in range(500)}


def test_what_no_client_may_say_is_answered_and_ends_its_connection_alone(tmp_path: Path) -> None:
    with Nodes(tmp_path) as nodes:
        nodes.start()
        with session(nodes) as asked:
            with socket.create_connection((nodes.address, nodes.ports["db-1"])) as rude:
                rude.sendall(bytes([4, 0, 0, 1, 7, 0x7F, 0xFF, 0xFF, 0xFF]))
                answer = b""
                while part := rude.recv(4096):
                    answer += part
            assert b"Request is too big" in answer
            assert asked.execute("SELECT key FROM system.local").one().key == "local"
        code, errors = nodes.stop("db-1")
    assert (code, errors.count("Request is too big")) == (0, 1)


def test_a_node_says_why_it_cannot_start_and_leaves_everything_as_it_is(tmp_path: Path) -> None:
    with Nodes(tmp_path) as nodes:
        nodes.start()
        place = f"{nodes.address}:{nodes.ports['db-1']}"
        assert nodes.refused("db-1", data=str(tmp_path / "other")) == (
            75,
            f"cql ERROR cannot listen on {place}: Address already in use\n",
        )
        code, why = nodes.refused("db-1")
        assert (code, "locked by another running node" in why) == (75, True)
        nodes.kill("db-1")
        code, why = nodes.refused("db-1", cluster="other")
        assert (code, "is that of cluster wavetank, not of other" in why) == (75, True)
        code, why = nodes.refused("db-1", nam="db-1")
        assert (code, "unknown field `nam`" in why) == (2, True)
        nodes.start()
        assert nodes.stop("db-1") == (0, "")


def test_a_rotten_log_is_refused_by_name_and_offset(tmp_path: Path) -> None:
    with Nodes(tmp_path) as nodes:
        nodes.start()
        with session(nodes) as asked:
            asked.execute(KEYSPACE % 1)
            asked.execute(TABLE)
        nodes.kill("db-1")
        log = tmp_path / "db-1" / "commitlog-00000001"
        content = bytearray(log.read_bytes())
        content[60] ^= 1
        log.write_bytes(content)
        code, why = nodes.refused("db-1")
        assert code == 75
        assert f"{log} is damaged at offset" in why
        assert log.read_bytes() == content


def test_a_disk_that_is_full_ends_a_node_and_loses_nothing(tmp_path: Path) -> None:
    acknowledged = []
    with Nodes(tmp_path) as nodes:
        nodes.start()
        node = nodes.running.pop("db-1")
        resource.prlimit(node.pid, resource.RLIMIT_FSIZE, (20_000, 20_000))
        with session(nodes) as asked:
            asked.execute(KEYSPACE % 1)
            asked.execute(TABLE)
            insert = asked.prepare("INSERT INTO k.t (a, b, v) VALUES (?, ?, ?)")
            with pytest.raises(NoHostAvailable):
                for key in range(1000):
                    asked.execute(insert, (key, "", key))
                    acknowledged.append(key)
        _, errors = node.communicate()
        why = f"cql ERROR cannot keep data in {tmp_path / 'db-1'}: File too large\n"
        assert (node.returncode, errors) == (75, why)
        nodes.start()
        with session(nodes) as asked:
            found = {row.a for row in asked.execute("SELECT a FROM k.t")}
    assert len(acknowledged) >= 50
    assert found.issuperset(acknowledged)


def test_nodes_die_with_whoever_started_them(tmp_path: Path) -> None:
    nodes = Nodes(tmp_path)
    script = (
        "import subprocess, sys, time; "
        f"subprocess.Popen([sys.executable, '-m', 'sim.tcp', 'cql', '--die-with-parent', "
        f"'--config', {str(nodes.config('db-1'))!r}]); time.sleep(60)"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert json.loads(parent.stdout.readline())["ready"]
        parent.kill()
        assert parent.stdout.read() == ""  # the end of the file: the node is gone, too
    with nodes:
        nodes.start()
