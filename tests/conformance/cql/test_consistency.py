"""Three nodes, one of them paused, then dead: what consistency levels promise, on both arms."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from cassandra import ConsistencyLevel, OperationTimedOut, ReadTimeout
from cassandra.cluster import Session
from cassandra.query import SimpleStatement

from scenarios.backends.base import Server
from scenarios.backends.local import LocalBackend
from scenarios.errors import Infrastructure
from tests.conformance.cql import arms
from tests.conformance.cql.steps import KEYSPACE, REPLICATION, Step
from tests.conformance.cql.talk import Talk

pytestmark = pytest.mark.real
TABLE, UNHINTED = f"{KEYSPACE}.held", f"{KEYSPACE}.unhinted"
PAGED = f"{KEYSPACE}.paged"
PUT = f"INSERT INTO {TABLE} (k, v) VALUES (%d, '%s') USING TIMESTAMP %d"
GET = f"SELECT v FROM {TABLE} WHERE k = %d"
LEVELS = ("ANY", "ONE", "TWO", "THREE", "QUORUM", "ALL", "LOCAL_ONE", "LOCAL_QUORUM")
_PATIENCE_S = 60


@pytest.fixture(scope="module", params=[arms.OURS, arms.REAL])
def nodes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[LocalBackend]:
    folder = tmp_path_factory.mktemp("three")
    try:
        with arms.running(request.param, folder, nodes=3) as backend:
            with arms.connected(backend) as session:
                session.execute(f"CREATE KEYSPACE {KEYSPACE} WITH replication = {REPLICATION % 3}")
                table = f"CREATE TABLE {TABLE} (k int PRIMARY KEY, v text)"
                session.execute(f"{table} WITH speculative_retry = 'NONE'")
                session.execute(f"CREATE TABLE {PAGED} (k int PRIMARY KEY)")
                unhinted = table.replace(TABLE, UNHINTED)
                grace = "gc_grace_seconds = 0"  # a hint for such a table is too old at once
                session.execute(f"{unhinted} WITH speculative_retry = 'NONE' AND {grace}")
            yield backend
    except Infrastructure as error:
        pytest.skip(str(error))


@contextmanager
def talking(nodes: LocalBackend, coordinator: int = 0) -> Generator[Talk]:
    with arms.connected(nodes, coordinator) as session:
        yield Talk(session)


def rows(*values: str) -> Any:
    return {"columns": [["v", "varchar"]], "pages": [[[repr(value)] for value in values]]}


def eventually(talk: Talk, step: Step, wanted: Any) -> None:
    until = time.monotonic() + _PATIENCE_S
    while (found := talk.say(step)) != wanted:
        assert time.monotonic() < until, found
        time.sleep(0.2)


@contextmanager
def paused(*servers: Server) -> Generator[None]:
    for server in servers:
        server.pause()
    try:
        yield
    finally:
        for server in servers:
            server.resume()


def alone(talk: Talk, k: int, table: str = TABLE) -> Any:
    """Return what the one node says that is not paused.

    Cassandra asks the paused first, until it has learnt better.
    """
    step = Step(cql=GET.replace(TABLE, table) % k, level="ONE")
    until = time.monotonic() + _PATIENCE_S
    while "error" in (found := talk.say(step)):
        assert time.monotonic() < until, found
    return found


def unavailable(level: int, required: int, alive: int) -> Any:
    fields = {"consistency": level, "required_replicas": required, "alive_replicas": alive}
    return {"error": "Unavailable"} | fields


def test_a_silent_replica_is_a_timeout_with_what_arrived(nodes: LocalBackend) -> None:
    with talking(nodes) as talk:
        assert talk.say(Step(cql=PUT % (1, "a", 1), level="ALL")) == {"done": True}
        with paused(nodes.nodes[2]):
            write = talk.say(Step(cql=PUT % (1, "b", 2), level="ALL"))
            read = talk.say(Step(cql=GET % 1, level="ALL"))
            # Two of three are asked: at first the silent one may be among them.
            eventually(talk, Step(cql=GET % 1, level="QUORUM"), rows("b"))

    counts = {"required_responses": 3, "received_responses": 2}
    assert write == {"error": "WriteTimeout", "consistency": 5, "write_type": 0} | counts
    assert read["error"] == "ReadTimeout"
    assert read | {"data_retrieved": True} == (
        {"error": "ReadTimeout", "consistency": 5, "data_retrieved": True} | counts
    )


def test_a_dead_replica_is_unavailable_to_those_who_need_it(nodes: LocalBackend) -> None:
    with talking(nodes) as talk:
        every = Step(cql=GET % 2, level="ALL")
        eventually(talk, every, rows())
        nodes.nodes[2].kill()
        try:
            eventually(talk, every, unavailable(5, 3, 2))
            writes = {level: talk.say(Step(cql=PUT % (2, "a", 1), level=level)) for level in LEVELS}
            reads = {level: talk.say(Step(cql=GET % 2, level=level)) for level in LEVELS[1:]}
        finally:
            nodes.nodes[2].start()

    done: Any = {"done": True}
    refused = {"THREE": unavailable(3, 3, 2), "ALL": unavailable(5, 3, 2)}
    assert writes == dict.fromkeys(LEVELS, done) | refused
    assert reads == dict.fromkeys(LEVELS[1:], rows("a")) | refused


def test_a_replica_that_is_back_gets_what_it_missed_by_hints(nodes: LocalBackend) -> None:
    first, second, third = nodes.nodes
    every = Step(cql=GET % 3, level="ALL")
    with talking(nodes) as talk:
        eventually(talk, every, rows())
        third.kill()
        eventually(talk, every, unavailable(5, 3, 2))
        for k in range(10, 20):
            assert talk.say(Step(cql=PUT % (k, k, 1), level="QUORUM")) == {"done": True}
        third.start()
        eventually(talk, every, rows())

    until = time.monotonic() + _PATIENCE_S
    with talking(nodes, coordinator=2) as talk:
        found: Any = []
        while found != [rows(str(k)) for k in range(10, 20)]:
            assert time.monotonic() < until, found
            time.sleep(2)  # Cassandra hands hints over every 10 s
            with paused(first, second):
                found = [alone(talk, k) for k in range(10, 20)]


def test_a_read_at_all_repairs_the_row_it_read_and_no_other(nodes: LocalBackend) -> None:
    first, second, third = nodes.nodes
    put, get = (each.replace(TABLE, UNHINTED) for each in (PUT, GET))
    every = Step(cql=GET % 4, level="ALL")
    with talking(nodes) as talk:
        eventually(talk, every, rows())
        third.kill()
        eventually(talk, every, unavailable(5, 3, 2))
        for k in range(10):
            assert talk.say(Step(cql=put % (k, k, 1), level="QUORUM")) == {"done": True}
        third.start()
        eventually(talk, every, rows())
        time.sleep(15)  # a hint would have been handed over by now
        repaired = [talk.say(Step(cql=get % k, level="ALL")) for k in range(5)]

    with talking(nodes, coordinator=2) as talk, paused(first, second):
        found = [alone(talk, k, UNHINTED) for k in range(10)]
    assert found == [rows(str(k)) if k < 5 else rows() for k in range(10)]
    assert repaired == [rows(str(k)) for k in range(5)]


def test_a_write_that_timed_out_is_not_undone(nodes: LocalBackend) -> None:
    """Nobody knows what became of it: it can be read at once, and everywhere before long."""
    _, second, third = nodes.nodes
    with talking(nodes) as talk:
        eventually(talk, Step(cql=GET % 5, level="ALL"), rows())
        with paused(second, third):
            write = talk.say(Step(cql=PUT % (5, "b", 2), level="QUORUM"))
            read = alone(talk, 5)
        eventually(talk, Step(cql=GET % 5, level="ALL"), rows("b"))

    counts = {"required_responses": 2, "received_responses": 1}
    assert write == {"error": "WriteTimeout", "consistency": 4, "write_type": 0} | counts
    assert read == rows("b")


def test_two_that_wrote_at_one_time_agree_and_what_was_unavailable_left_nothing(
    nodes: LocalBackend,
) -> None:
    """Each of two sides writes while the other is dead; the table has no hints."""
    first, second, third = nodes.nodes
    put, get = (each.replace(TABLE, UNHINTED) for each in (PUT, GET))
    every = Step(cql=get % 20, level="ALL")
    with talking(nodes) as talk:
        eventually(talk, every, rows())
        for server in (second, third):
            server.kill()
        eventually(talk, Step(cql=get % 20, level="QUORUM"), unavailable(4, 2, 1))
        refused = talk.say(Step(cql=put % (22, "x", 10), level="QUORUM"))
        for k, value in ((20, "b"), (21, "a")):
            assert talk.say(Step(cql=put % (k, value, 10), level="ONE")) == {"done": True}
        left = talk.say(Step(cql=get % 22, level="ONE"))
        for server in (second, third):
            server.start()
        eventually(talk, Step(cql=get % 22, level="ALL"), rows())
    first.kill()
    with talking(nodes, coordinator=1) as talk:
        eventually(talk, every, unavailable(5, 3, 2))
        for k, value in ((20, "a"), (21, "b")):
            assert talk.say(Step(cql=put % (k, value, 10), level="QUORUM")) == {"done": True}
        stale = [talk.say(Step(cql=get % k, level="QUORUM")) for k in (20, 21)]
        first.start()
        eventually(talk, Step(cql=get % 22, level="ALL"), rows())
        agreed = [talk.say(Step(cql=get % k, level="ALL")) for k in (20, 21)]

    assert refused == unavailable(4, 2, 1)
    assert left == rows()
    assert stale == [rows("a"), rows("b")]
    assert agreed == [rows("b"), rows("b")]


def test_pages_go_on_at_another_node_when_the_first_has_died(nodes: LocalBackend) -> None:
    first = nodes.nodes[0]
    scan = SimpleStatement(
        f"SELECT k FROM {PAGED}", fetch_size=4, consistency_level=ConsistencyLevel.ONE
    )
    with arms.connected(nodes) as session:
        for k in range(10):
            write = SimpleStatement(f"INSERT INTO {PAGED} (k) VALUES ({k})")
            write.consistency_level = ConsistencyLevel.ALL
            session.execute(write)
        every = list(session.execute(f"SELECT k FROM {PAGED}"))
        page = session.execute(scan)
        read, state = list(page.current_rows), page.paging_state
    first.kill()
    try:
        with arms.connected(nodes, 1) as session:
            session.execute(f"DELETE FROM {PAGED} WHERE k = {read[0][0]}")
            while state is not None:
                page = _page(session, scan, state)
                read, state = read + list(page.current_rows), page.paging_state
    finally:
        first.start()

    assert len(read) == 10
    assert read == every


def _page(session: Session, scan: SimpleStatement, state: bytes) -> Any:
    """Return the page from `state`; whoever does not know yet that a node is dead asks it."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return session.execute(scan, paging_state=state)
        except (OperationTimedOut, ReadTimeout):
            assert time.monotonic() < until
