"""The real, unmodified driver against simulated nodes, in virtual time."""

import gc
import os
import subprocess
import sys
import time
import weakref
from typing import Any

import pytest
from cassandra import (
    ConsistencyLevel,
    InvalidRequest,
    OperationTimedOut,
    Unavailable,
    WriteFailure,
    WriteTimeout,
)
from cassandra import cluster as driver
from cassandra.cluster import NoHostAvailable
from cassandra.connection import ConnectionShutdown
from cassandra.protocol import SyntaxException
from cassandra.query import UNSET_VALUE, BatchStatement, SimpleStatement

from sim.doors.subjects import subject_of
from sim.kernel import MILLISECOND, SECOND
from sim.moments import Moment
from tests.sim.doors import cassandra_world
from tests.sim.doors.cassandra_world import INSERT, SELECT, Stage, busy, connect


def test_the_driver_connects_prepares_writes_and_reads() -> None:
    def main(stage: Stage) -> Any:
        cluster, session = connect()
        insert, select = session.prepare(INSERT), session.prepare(SELECT)
        session.execute(insert, (1, 2, 1, 100, "hello"))
        session.execute(insert, (1, 2, 2, 150, UNSET_VALUE))
        found = session.execute(select, (1, 2)).all()
        metadata = cluster.metadata.keyspaces["k"].tables["ledger"]
        names = [column.name for column in metadata.primary_key]
        replicas = cluster.metadata.get_replicas("k", insert.bind((1, 2, 3, 4)).routing_key)
        cluster.shutdown()
        return found, names, len(replicas)

    stage = Stage()

    found, names, replicas = stage.run(main)

    assert found == [(2, 150, None), (1, 100, "hello")]
    assert names == ["user", "asset", "seq"]
    assert replicas == 3
    rows = stage.nodes.rows("k.ledger")
    assert [row.values["avail"] for row in rows] == [150, 100]
    assert all(0 < (row.durable_ns or 0) < SECOND for row in rows)


def test_an_answered_request_is_gone_without_the_collector() -> None:
    def written(future: Any) -> Any:
        future.result()
        return weakref.ref(future)

    def main(stage: Stage) -> Any:
        cluster, session = connect()
        insert = session.prepare(INSERT)
        gc.disable()
        try:
            rows = [(1, 2, number, 100, None) for number in range(20)]
            gone = [written(session.execute_async(insert, row)) for row in rows]
            time.sleep(0.001)
            return [one() for one in gone]
        finally:
            gc.enable()
            cluster.shutdown()

    assert Stage().run(main) == [None] * 20


def test_results_come_in_pages() -> None:
    def main(stage: Stage) -> Any:
        cluster, session = connect()
        insert = session.prepare(INSERT)
        for number in range(25):
            session.execute(insert, (1, 1, number, number, None))
        statement = SimpleStatement("SELECT seq FROM k.ledger", fetch_size=10)
        result = session.execute(statement)
        first = len(result.current_rows)
        rows = [row[0] for row in result]
        cluster.shutdown()
        return first, rows

    first, rows = Stage().run(main)

    assert first == 10
    assert rows == list(range(24, -1, -1))


def test_errors_are_the_drivers_own() -> None:
    def main(stage: Stage) -> Any:
        cluster, session = connect()
        found = []
        logged = BatchStatement()
        for asset in (1, 2):
            logged.add("INSERT INTO k.ledger (user, asset, seq) VALUES (1, %s, 1)", (asset,))
        for text in (
            "SELEC 1",
            "SELECT * FROM k.nothing",
            "INSERT INTO k.ledger (user, asset, seq) VALUES (1, 1, 1) IF NOT EXISTS",
        ):
            try:
                session.execute(text)
            except (SyntaxException, InvalidRequest) as error:
                found.append(type(error))
        with pytest.raises(InvalidRequest, match="logged batches"):
            session.execute(logged)
        cluster.shutdown()
        return found

    assert Stage().run(main) == [SyntaxException, InvalidRequest, InvalidRequest]


def test_ddl_waits_for_agreement_and_is_seen_in_the_metadata() -> None:
    def main(stage: Stage) -> Any:
        cluster, session = connect()
        session.execute("CREATE TABLE k.more (a int PRIMARY KEY, b text)")
        columns = list(cluster.metadata.keyspaces["k"].tables["more"].columns)
        session.execute("INSERT INTO k.more (a, b) VALUES (1, 'x')")
        session.execute("USE k")
        row = session.execute("SELECT b FROM more WHERE a = 1").one()
        session.execute("DROP TABLE more")
        gone = "more" not in cluster.metadata.keyspaces["k"].tables
        cluster.shutdown()
        return columns, row, gone

    assert Stage().run(main) == (["a", "b"], ("x",), True)


def test_without_a_quorum_a_write_fails_then_is_unavailable() -> None:
    def main(stage: Stage) -> Any:
        _, session = connect()
        insert = session.prepare(INSERT)
        session.execute(insert, (1, 1, 1, 1, None))
        for name in ("scylla-2", "scylla-3"):
            stage.world.server(name).crash()
        failures = []
        for number in (2, 3):
            try:
                session.execute(insert, (1, 1, number, 1, None))
            except (WriteFailure, Unavailable, NoHostAvailable, ConnectionShutdown) as error:
                failures.append(type(error))
            time.sleep(30)
        return failures

    kinds = Stage().run(main)

    assert kinds[-1] is Unavailable
    assert kinds[0] in {WriteFailure, ConnectionShutdown}


def test_a_cut_coordinator_times_out_at_the_client_and_the_write_is_only_maybe_lost() -> None:
    def main(stage: Stage) -> Any:
        _, session = connect(contact_points=["scylla-1"], request_timeout=1.0)
        insert = session.prepare(INSERT)
        session.execute(insert, (1, 1, 1, 1, None))
        network = stage.world.network
        began = stage.world.kernel.now
        with (
            network.cut("scylla-1", "app-1"),
            network.cut("scylla-2", "app-1"),
            network.cut("scylla-3", "app-1"),
            pytest.raises(OperationTimedOut),
        ):
            session.execute(insert, (1, 1, 2, 2, None))
        return stage.world.kernel.now - began

    stage = Stage()

    waited = stage.run(main)

    assert abs(waited - SECOND) < 5 * MILLISECOND
    assert len(stage.nodes.rows("k.ledger")) == 2


def test_slow_replicas_are_a_write_timeout_after_two_seconds() -> None:
    def main(stage: Stage) -> Any:
        _, session = connect()
        insert = session.prepare(INSERT)
        for node in stage.nodes.nodes.values():
            node.replica.sync_ns = 3 * SECOND
        with pytest.raises(WriteTimeout) as raised:
            session.execute(insert, (1, 1, 1, 1, None))
        return raised.value.received_responses, raised.value.required_responses

    assert Stage().run(main) == (0, 2)


def test_a_restarted_node_is_used_again_and_prepares_again() -> None:
    def main(stage: Stage) -> Any:
        cluster, session = connect()
        insert = session.prepare(INSERT)
        for name in ("scylla-1", "scylla-2", "scylla-3"):
            stage.world.server(name).crash()
            stage.world.server(name).start()
        time.sleep(5)
        with pytest.raises(NoHostAvailable, match="is closed"):  # seen only when used
            session.execute(insert, (1, 1, 0, 1, None))
        time.sleep(5)
        for number in range(6):
            session.execute(insert, (1, 1, number, 1, None))
        up = [host.is_up for host in cluster.metadata.all_hosts()]
        cluster.shutdown()
        return up

    stage = Stage()

    assert stage.run(main) == [True] * 3
    assert len(stage.nodes.rows("k.ledger")) == 6
    assert all(node.clients.prepared for node in stage.nodes.nodes.values())


def test_a_crash_at_the_moment_of_a_statement_leaves_it_sent_or_not() -> None:
    def main(stage: Stage) -> Any:
        _, session = connect()
        insert = session.prepare(INSERT)
        for number in range(5):
            session.execute(insert, (1, 1, number, 1, None))

    for part, rows in ((0.0, 2), (1.0, 3)):
        stage = Stage()
        moment = Moment("app", "cql.execute", 3, part, subject="INSERT ledger")
        stage.world.moments.arm(moment, stage.world.kernel.kill)
        process = stage.launch(main)
        stage.world.kernel.run(SECOND)
        stage.world.close()

        assert process.exit_code == -9
        assert len(stage.nodes.rows("k.ledger")) == rows


def test_subjects_name_the_verb_and_the_table() -> None:
    assert subject_of(INSERT) == "INSERT ledger"
    assert subject_of(SELECT) == "SELECT ledger"
    assert subject_of("UPDATE k.t SET a = 1 WHERE b = 2") == "UPDATE t"
    assert subject_of("DELETE FROM t WHERE b = 2") == "DELETE t"


def test_a_world_leaves_no_driver_behind() -> None:
    Stage().run(lambda stage: connect() and None)

    assert not driver._clusters_for_shutdown


def test_the_default_level_of_the_driver_is_local_one() -> None:
    def main(stage: Stage) -> Any:
        _, session = connect(level=ConsistencyLevel.LOCAL_ONE)
        stage.world.server("scylla-2").crash()
        stage.world.server("scylla-3").crash()
        time.sleep(1)
        insert = session.prepare(INSERT)
        session.execute(insert, (1, 1, 1, 1, None))

    stage = Stage()
    stage.run(main)

    assert len(stage.nodes.node_rows("k.ledger", "scylla-1")) == 1
    assert stage.nodes.rows("k.ledger")[0].durable_ns is None


def test_one_seed_is_one_history_in_every_interpreter() -> None:
    def digest(hash_seed: str) -> str:
        return subprocess.check_output(
            [sys.executable, cassandra_world.__file__, "7"],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.getcwd()},
            text=True,
        )

    stage = Stage(7)
    here = f"{stage.run(busy)} {stage.world.kernel.trace.digest()}"

    assert here.startswith("60 ")
    assert digest("1") == digest("2") == here
