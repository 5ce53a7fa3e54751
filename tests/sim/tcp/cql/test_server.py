"""Nodes as processes, asked by the real, unmodified driver over TCP."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cassandra import ConsistencyLevel, InvalidRequest
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.policies import RoundRobinPolicy

from tests.sim.tcp.cql.cluster import Nodes

KEYSPACE = (
    "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': %d}"
)
TABLE = "CREATE TABLE k.t (a int, b text, v bigint, PRIMARY KEY (a, b))"


@contextmanager
def session(
    nodes: Nodes, name: str = "db-1", level: int = ConsistencyLevel.QUORUM
) -> Iterator[Any]:
    profile = ExecutionProfile(RoundRobinPolicy(), consistency_level=level, request_timeout=15)
    cluster = Cluster(
        ["127.0.0.1"],
        port=nodes.ports[name],
        protocol_version=4,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
    )
    try:
        yield cluster.connect()
    finally:
        cluster.shutdown()


def test_the_driver_writes_reads_and_pages(tmp_path: Path) -> None:
    with Nodes(tmp_path) as nodes:
        nodes.start()
        with session(nodes) as asked:
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


def test_a_killed_node_of_three_misses_nothing_in_the_end(tmp_path: Path) -> None:
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
            nodes.start("db-3")
        with session(nodes, "db-3", ConsistencyLevel.ALL) as asked:
            assert sorted(row.a for row in asked.execute("SELECT a FROM k.t")) == list(range(20))
