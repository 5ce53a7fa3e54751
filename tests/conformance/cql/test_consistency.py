"""Three nodes, one of them paused, then dead: what consistency levels promise, on both arms."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

from scenarios.backends.base import Server
from scenarios.backends.local import LocalBackend
from scenarios.errors import Infrastructure
from tests.conformance.cql import arms
from tests.conformance.cql.steps import KEYSPACE, REPLICATION, Step
from tests.conformance.cql.talk import Talk

pytestmark = pytest.mark.real
TABLE, UNHINTED = f"{KEYSPACE}.held", f"{KEYSPACE}.unhinted"
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
        nodes.nodes[2].pause()
        try:
            write = talk.say(Step(cql=PUT % (1, "b", 2), level="ALL"))
            read = talk.say(Step(cql=GET % 1, level="ALL"))
            quorum = talk.say(Step(cql=GET % 1, level="QUORUM"))
        finally:
            nodes.nodes[2].resume()

    counts = {"required_responses": 3, "received_responses": 2}
    assert write == {"error": "WriteTimeout", "consistency": 5, "write_type": 0} | counts
    assert read["error"] == "ReadTimeout"
    assert read | {"data_retrieved": True} == (
        {"error": "ReadTimeout", "consistency": 5, "data_retrieved": True} | counts
    )
    assert quorum == rows("b")


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
