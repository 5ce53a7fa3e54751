"""Consistency levels, timeouts, repair, hints, crashes and power losses, without any driver."""

import copy
import itertools
from typing import Any

import pytest

from sim.scylla.errors import (
    INVALID,
    READ_TIMEOUT,
    UNAVAILABLE,
    UNPREPARED,
    WRITE_FAILURE,
    WRITE_TIMEOUT,
)
from sim.scylla.replica import BUFFER_BYTES
from sim.scylla.table import token
from sim.scylla.wire import Event, Failure, Prepared, Request, Rows, SchemaChanged, Void
from tests.sim.scylla.harness import ALL, ONE, QUORUM, Client, Sandbox, big, decoded, small

PUT = "INSERT INTO k.plain (id, a) VALUES ('x', '{}') USING TIMESTAMP {}"
GET = "SELECT a FROM k.plain WHERE id = 'x'"


def held(sandbox: Sandbox, node: str) -> list[str]:
    return [row.values["a"] for row in sandbox.cluster.node_rows("k.plain", node)]


def isolate(sandbox: Sandbox, node: str) -> None:
    others = [other for other in sandbox.nodes if other != node]
    sandbox.cut |= {(node, other) for other in others} | {(other, node) for other in others}


def warm(sandbox: Sandbox) -> Sandbox:
    """Let the nodes connect to each other."""
    sandbox.run(3)
    return sandbox


def test_a_write_reaches_all_replicas_and_is_durable_at_a_majority() -> None:
    sandbox = warm(Sandbox())

    assert isinstance(Client(sandbox).ask(PUT.format("1", 1)), Void)

    assert [held(sandbox, name) for name in sandbox.nodes] == [["1"]] * 3
    (row,) = sandbox.cluster.rows("k.plain")
    assert row.durable_ns is not None
    assert (row.written_us, row.overwrites) == (1, 0)


def test_columns_are_durable_each_since_a_majority_of_its_own_has_the_value() -> None:
    sandbox = warm(Sandbox())
    client = Client(sandbox, "n1")
    put = "INSERT INTO k.plain (id, {}) VALUES ('x', '1') USING TIMESTAMP {}"
    isolate(sandbox, "n3")
    client.ask(put.format("a", 1))
    sandbox.cut.clear()
    isolate(sandbox, "n2")
    client.ask(put.format("b", 2))  # with n3, which may still lack the first write

    (row,) = sandbox.cluster.rows("k.plain")
    first = row.durable["a"]
    assert first is not None
    assert row.durable["b"] is not None
    assert first < row.durable["b"] == row.durable_ns
    sandbox.cut.clear()
    client.ask(put.format("a", 3))  # the same value once more

    (row,) = sandbox.cluster.rows("k.plain")
    assert row.durable["a"] == first
    assert row.written_us == 3
    assert row.overwrites == 0


def test_a_silent_replica_gets_a_hint_and_a_timed_out_write_stays() -> None:
    sandbox = warm(Sandbox())
    client = Client(sandbox, "n1")
    isolate(sandbox, "n1")

    answer = client.ask(PUT.format("1", 1), seconds=2.1)

    assert isinstance(answer, Failure)
    assert answer.code == WRITE_TIMEOUT
    assert answer.fields["received_responses"] == 1
    assert answer.fields["required_responses"] == 2
    assert [held(sandbox, name) for name in sandbox.nodes] == [["1"], [], []]
    sandbox.cut.clear()
    sandbox.run(5)
    assert [held(sandbox, name) for name in sandbox.nodes] == [["1"]] * 3


def test_a_broken_connection_is_a_failure_and_a_dead_node_is_known_after_twenty_seconds() -> None:
    sandbox = warm(Sandbox())
    client = Client(sandbox, "n1")
    request = Request("REGISTER", 900)
    request.events = ("STATUS_CHANGE",)
    client.send(request)
    sandbox.crash("n2")
    sandbox.crash("n3")
    sandbox.run(0.1)

    assert client.ask(PUT.format("1", 1)).code == WRITE_FAILURE
    sandbox.run(25)
    answer = client.ask(PUT.format("2", 2))

    assert answer.code == UNAVAILABLE
    assert (answer.fields["required_replicas"], answer.fields["alive_replicas"]) == (2, 1)
    assert client.ask(GET).code == UNAVAILABLE
    assert isinstance(client.ask(PUT.format("3", 3), ONE), Void)
    down = [event for event in sandbox.events if isinstance(event, Event)]
    assert [dict(event.fields)["change_type"] for event in down] == ["DOWN", "DOWN"]
    sandbox.restart("n2")
    sandbox.run(12)
    assert held(sandbox, "n2") == ["3"]


def test_a_read_at_one_may_be_stale_and_one_at_quorum_repairs() -> None:
    sandbox = warm(Sandbox())
    writer, reader = Client(sandbox, "n1"), Client(sandbox, "n3")
    writer.ask(PUT.format("old", 1), ALL)
    isolate(sandbox, "n3")
    writer.ask(PUT.format("new", 2))
    sandbox.nodes["n1"].hints.kept["n3"].clear()
    sandbox.run(2.5)
    sandbox.nodes["n1"].hints.kept["n3"].clear()
    sandbox.cut.clear()
    sandbox.run(1)

    assert decoded(reader.ask(GET, ONE)) == [("old",)]
    assert decoded(reader.ask(GET, QUORUM)) == [("new",)]
    assert decoded(reader.ask(GET, ONE)) == [("new",)]


def test_a_read_whose_replicas_are_silent_times_out() -> None:
    sandbox = warm(Sandbox())
    client = Client(sandbox, "n1")
    isolate(sandbox, "n1")

    answer = client.ask(GET, seconds=5.1)

    assert answer.code == READ_TIMEOUT
    assert answer.fields["received_responses"] == 1
    assert answer.fields["data_retrieved"] is True


def test_one_silent_replica_costs_a_quorum_read_only_the_speculative_delay() -> None:
    sandbox = warm(Sandbox())
    client = Client(sandbox, "n1")
    client.ask(PUT.format("1", 1))
    isolate(sandbox, "n2")

    answers = [client.ask(GET, seconds=0.06) for _ in range(3)]

    assert [decoded(answer) for answer in answers] == [[("1",)]] * 3


@pytest.mark.parametrize(
    ("mode", "power_loss", "left"),
    [
        ("batch", False, ["1"]),
        ("batch", True, ["1"]),
        ("periodic", False, []),
        ("periodic", True, []),
    ],
)
def test_what_a_crash_takes_is_what_the_commit_log_had_not_synced(
    mode: Any, power_loss: bool, left: list[str]
) -> None:
    sandbox = warm(Sandbox(commitlog_sync=mode))
    client = Client(sandbox, "n1")
    client.ask(PUT.format("1", 1))

    for name in sandbox.nodes:
        sandbox.crash(name, power_loss=power_loss)
    for name in sandbox.nodes:
        sandbox.restart(name)

    assert [held(sandbox, name) for name in sandbox.nodes] == [left] * 3


def test_periodic_mode_keeps_what_is_older_than_the_last_sync() -> None:
    sandbox = warm(Sandbox(commitlog_sync="periodic"))
    client = Client(sandbox, "n1")
    client.ask(PUT.format("1", 1))
    sandbox.run(10)
    client.ask(PUT.format("2", 2))

    sandbox.crash("n2", power_loss=True)

    assert held(sandbox, "n2") == ["1"]


def test_a_killed_process_loses_only_what_its_commit_log_had_not_written_yet() -> None:
    sandbox = warm(Sandbox(commitlog_sync="periodic"))
    client = Client(sandbox, "n1")
    half = "x" * (BUFFER_BYTES // 2)
    for k in "123":
        client.ask(f"INSERT INTO k.plain (id, a, b) VALUES ('{k}', '{k}', '{half}')")

    sandbox.crash("n2")
    sandbox.restart("n2")
    survived = sorted(held(sandbox, "n2"))
    sandbox.crash("n2", power_loss=True)

    assert survived == ["1", "2"]
    assert sorted(held(sandbox, "n2")) == survived  # what a restart replays, it syncs


def test_a_slow_sync_delays_the_acknowledgement_and_power_loss_takes_the_write() -> None:
    sandbox = warm(Sandbox())
    client = Client(sandbox, "n1")
    for node in sandbox.nodes.values():
        node.replica.sync_ns = 10**9

    stream = client.ask(PUT.format("1", 1), seconds=0.5)
    sandbox.crash("n3", power_loss=True)
    sandbox.run(1)

    assert stream is None
    assert [held(sandbox, name) for name in sandbox.nodes] == [["1"], ["1"], []]


def test_a_restarted_node_has_forgotten_prepared_statements() -> None:
    sandbox = warm(Sandbox())
    prepared = Client(sandbox, "n2").prepare("SELECT * FROM k.plain WHERE id = ?")
    sandbox.crash("n2")
    sandbox.restart("n2")
    client = Client(sandbox, "n2")

    answer = client.execute(prepared, b"x", level=ONE)

    assert answer.code == UNPREPARED
    assert answer.fields["query_id"] == prepared.query_id
    again = client.prepare("SELECT * FROM k.plain WHERE id = ?")
    assert isinstance(again, Prepared)
    assert again.query_id == prepared.query_id


def test_unset_leaves_a_cell_and_null_removes_it() -> None:
    sandbox = warm(Sandbox())
    client = Client(sandbox, "n1")
    put = client.prepare("INSERT INTO k.plain (id, a, b) VALUES (?, ?, ?)")
    client.execute(put, b"x", b"1", b"1")

    client.execute(put, b"x", -1, None)

    rows = client.ask("SELECT a, b FROM k.plain WHERE id = 'x'")
    assert decoded(rows) == [("1", None)]


def test_pages_and_ranges_follow_the_clustering_order() -> None:
    sandbox = warm(Sandbox())
    client = Client(sandbox, "n1")
    put = client.prepare("INSERT INTO k.ledger (user, asset, seq, avail) VALUES (?, ?, ?, ?)")
    for number in range(7):
        client.execute(put, big(1), small(2), big(number), big(100 + number))

    select = "SELECT seq FROM k.ledger WHERE user = 1 AND asset = 2"
    assert decoded(client.ask(f"{select} LIMIT 1")) == [(6,)]
    assert decoded(client.ask(f"{select} AND seq >= 2 AND seq < 4")) == [(3,), (2,)]
    assert decoded(client.ask(f"{select} ORDER BY seq ASC LIMIT 2")) == [(0,), (1,)]
    assert decoded(client.ask(f"{select} AND seq IN (5, 1, 9)")) == [(5,), (1,)]
    for text in (select, f"{select} ORDER BY seq ASC", "SELECT seq FROM k.ledger"):
        pages, state = [], None
        while True:
            page = client.ask(text, page_size=3, paging_state=state)
            assert isinstance(page, Rows)
            pages += decoded(page)
            state = page.paging_state
            if state is None:
                break
        assert sorted(pages) == [(number,) for number in range(7)]
    client.ask("DELETE FROM k.ledger WHERE user = 1 AND asset = 2 AND seq < 5")
    assert decoded(client.ask("SELECT count(*) FROM k.ledger")) == [(2,)]
    assert isinstance(client.ask("TRUNCATE k.ledger"), Void)
    assert decoded(client.ask("SELECT count(*) FROM k.ledger")) == [(0,)]


def test_a_scan_over_more_nodes_than_replicas_finds_every_row_once() -> None:
    sandbox = warm(Sandbox(5))
    client = Client(sandbox, "n4")
    for number in range(40):
        client.ask(f"INSERT INTO k.plain (id, a) VALUES ('{number}', 'x')")

    found, state = [], None
    while True:
        page = client.ask("SELECT id FROM k.plain", page_size=7, paging_state=state)
        found += decoded(page)
        state = page.paging_state
        if state is None:
            break

    assert sorted(found) == sorted((str(number),) for number in range(40))


def test_schema_changes_reach_all_nodes_and_need_a_majority() -> None:
    sandbox = warm(Sandbox())
    client = Client(sandbox, "n2")

    made = client.ask("CREATE TABLE k.more (a int PRIMARY KEY)", seconds=0.1)

    assert isinstance(made, SchemaChanged)
    assert len({node.schema.version for node in sandbox.nodes.values()}) == 1
    assert "already existing" in client.ask("CREATE TABLE k.more (a int PRIMARY KEY)").message
    assert isinstance(client.ask("CREATE TABLE IF NOT EXISTS k.more (a int PRIMARY KEY)"), Void)
    sandbox.crash("n1")
    sandbox.crash("n3")
    sandbox.run(30)
    failed = client.ask("DROP TABLE k.more", seconds=10)
    assert "timed out" in failed.message


def test_a_node_can_be_copied() -> None:
    sandbox = warm(Sandbox())
    Client(sandbox, "n1").ask(PUT.format("1", 1))

    copied = copy.deepcopy(sandbox.nodes["n1"])

    assert copied.replica.store is not sandbox.nodes["n1"].replica.store
    assert list(copied.fired(sandbox.now, "echo"))


def test_a_node_that_starts_again_takes_its_peers_for_alive() -> None:
    sandbox = warm(Sandbox())
    sandbox.run(100)
    sandbox.crash("n2")
    sandbox.restart("n2")

    answer = Client(sandbox, "n2").ask(PUT.format("1", 1))

    assert isinstance(answer, Void)


def test_any_is_satisfied_by_a_hint() -> None:
    sandbox = warm(Sandbox())
    sandbox.crash("n2")
    sandbox.crash("n3")
    sandbox.run(25)
    client = Client(sandbox, "n1")

    assert isinstance(client.ask(PUT.format("1", 1), 0), Void)
    assert "only supported for writes" in client.ask(GET, 0).message
    assert "SERIAL" in client.ask(GET, 8).message


def test_an_unprepared_statement_takes_values_by_place_or_by_name() -> None:
    client = Client(warm(Sandbox()))
    by_place = "INSERT INTO k.plain (id, a) VALUES (?, ?)"
    by_name = "INSERT INTO k.plain (id, a) VALUES (:id, :a)"

    assert isinstance(client.ask(by_place, parameters=(b"x", b"1")), Void)
    assert decoded(client.ask(GET)) == [("1",)]
    assert isinstance(client.ask(by_name, parameters=(b"2", b"x"), names=("a", "id")), Void)
    assert decoded(client.ask(GET)) == [("2",)]
    few = client.ask(by_name, parameters=(b"2",), names=("a",))
    assert (few.code, "expected 2 got 1" in few.message) == (INVALID, True)


def test_ids_of_hints_that_outlived_a_crash_are_not_given_to_new_writes() -> None:
    sandbox = warm(Sandbox())
    isolate(sandbox, "n1")
    for number in range(5):
        Client(sandbox).ask(PUT.format(number, number), ONE)
    sandbox.run(3)
    node = sandbox.nodes["n1"]
    kept = {id_ for hints in node.hints.kept.values() for id_ in hints}

    sandbox.crash("n1")
    sandbox.restart("n1")

    assert len(kept) == 10
    assert node.machinery.new_id() > max(kept)


def test_ranges_of_tokens_cut_a_table_into_parts_that_are_all_of_it() -> None:
    client = Client(warm(Sandbox()))
    for number in range(30):
        client.ask(f"INSERT INTO k.plain (id, a) VALUES ('{number}', 'x')")
    everything = decoded(client.ask("SELECT id FROM k.plain"))
    part = client.prepare("SELECT id FROM k.plain WHERE token(id) > ? AND token(id) <= ?")
    cuts = [-(2**63), -(2**62), token(b"7"), 0, 2**61, 2**63 - 1]

    parts = []
    for low, high in itertools.pairwise(cuts):
        page = client.execute(part, big(low), big(high), page_size=4)
        parts += decoded(page)
        while page.paging_state is not None:
            page = client.execute(
                part, big(low), big(high), page_size=4, paging_state=page.paging_state
            )
            parts += decoded(page)

    assert len(everything) == 30
    assert parts == everything  # in the ring's order, too
    (exact,) = decoded(client.ask(f"SELECT id FROM k.plain WHERE token(id) = {token(b'7')}"))
    assert exact == ("7",)
    assert [bound.name for bound in part.bound] == ["partition key token"] * 2
    assert part.routing == ()


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("token(a) > 0", "must be in the partition key order: id"),
        ("token(id) > 0 AND id = 'x'", "both a normal relation and a token relation"),
        ("token(id) > null", "Invalid null value"),
    ],
)
def test_a_range_of_tokens_that_means_nothing_is_refused(where: str, why: str) -> None:
    answer = Client(warm(Sandbox())).ask(f"SELECT id FROM k.plain WHERE {where}")

    assert isinstance(answer, Failure)
    assert (answer.code, why in answer.message) == (INVALID, True)
