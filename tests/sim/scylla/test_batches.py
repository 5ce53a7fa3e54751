"""Batches: one mutation for each partition; several partitions are several writes."""

from typing import Any

from sim.machine import Send, Timer
from sim.scylla.errors import INVALID, UNAVAILABLE, UNPREPARED, WRITE_TIMEOUT
from sim.scylla.wire import Batch, Failure, Request, Void
from sim.scylla.writes import LATER_KEY
from tests.sim.scylla.harness import ALL, ONE, QUORUM, Client, Sandbox, decoded

PUT = "INSERT INTO k.plain (id, a) VALUES ('{}', '{}')"
EIGHT = [PUT.format(n, n) for n in range(8)]


def text(parts: list[str], kind: str = "UNLOGGED") -> str:
    return f"BEGIN {kind} BATCH {'; '.join(parts)}; APPLY BATCH"


def warm(**options: Any) -> Sandbox:
    sandbox = Sandbox(**options)
    sandbox.run(3)
    return sandbox


def send(client: Client, batch: Batch) -> Any:
    request = Request("BATCH", next(client.sandbox.streams))
    request.batch = batch
    return client.finish(request, QUORUM, 0.01, {})


def held(sandbox: Sandbox) -> int:
    return len(sandbox.cluster.rows("k.plain"))


def test_what_is_done_to_one_partition_is_one_mutation() -> None:
    sandbox = warm()
    rows = [f"INSERT INTO k.ledger (user, asset, seq) VALUES (1, 1, {n})" for n in range(5)]

    answer = Client(sandbox).ask(text([*rows, rows[0]], kind=""))
    writes = [record for name, record in sandbox.records if record.kind == "cql-write"]

    assert isinstance(answer, Void)
    assert len(writes) == 3  # one on each replica
    assert len(sandbox.cluster.rows("k.ledger")) == 5


def test_a_crash_of_the_coordinator_cuts_an_unlogged_batch_of_several_partitions() -> None:
    cut, whole = warm(), warm()
    for sandbox, after in ((cut, 110e-6), (whole, 400e-6)):
        client = Client(sandbox)
        stream = client.send(_query(sandbox, text(EIGHT)))
        sandbox.run(after)
        sandbox.crash("n1")
        sandbox.run(1)
        if sandbox is cut:
            assert not isinstance(client.answer(stream), Void)

    assert 0 < held(cut) < 8
    assert held(whole) == 8


def test_a_late_timer_sends_one_write_and_comes_again_at_once() -> None:
    sandbox = warm()
    Client(sandbox).send(_query(sandbox, text(EIGHT)))
    sandbox.run(110e-6)
    late = sandbox.now + 10**6

    effects = sandbox.nodes["n1"].fired(late, LATER_KEY)

    sent = [effect for effect in effects if isinstance(effect, Send)]
    assert len(sent) == 2  # to two peers
    assert Timer(LATER_KEY, late) in effects


def _query(sandbox: Sandbox, cql: str) -> Request:
    request = Request("QUERY", next(sandbox.streams), text=cql)
    request.level = ALL
    return request


def test_nothing_is_sent_if_one_partition_is_unavailable() -> None:
    sandbox = warm()
    for name in ("n2", "n3"):
        sandbox.crash(name)
    sandbox.run(30)
    client = Client(sandbox)

    refused = client.ask(text(EIGHT), QUORUM)
    kept = held(sandbox)
    taken = client.ask(text(EIGHT), ONE)

    assert isinstance(refused, Failure)
    assert refused.code == UNAVAILABLE
    assert kept == 0
    assert isinstance(taken, Void)
    assert held(sandbox) == 8


def test_a_batch_that_times_out_says_that_it_is_one() -> None:
    types = []
    for parts in (EIGHT, EIGHT[:1]):
        sandbox = warm()
        sandbox.cut |= {("n1", "n2"), ("n1", "n3")}
        answer = Client(sandbox).ask(text(parts), QUORUM, seconds=3)
        assert isinstance(answer, Failure)
        assert answer.code == WRITE_TIMEOUT
        types.append(answer.fields["write_type"])

    assert types == ["UNLOGGED_BATCH", "SIMPLE"]


def test_the_protocols_batch_takes_texts_and_prepared_statements() -> None:
    sandbox = warm()
    client = Client(sandbox)
    prepared = client.prepare("INSERT INTO k.plain (id, a) VALUES (?, ?)")
    parts = ((PUT.format("x", 1), ()), (prepared.query_id, (b"y", b"2")))

    answers = [
        send(client, Batch("UNLOGGED", parts)),
        send(client, Batch("LOGGED", parts)),
        send(client, Batch("LOGGED", parts[:1])),
        send(client, Batch("COUNTER", parts)),
        send(client, Batch("UNLOGGED", ((b"nobody", ()),))),
        send(client, Batch("UNLOGGED", ())),
    ]

    codes = [answer.code if isinstance(answer, Failure) else None for answer in answers]
    assert codes == [None, INVALID, None, INVALID, UNPREPARED, None]
    rows = decoded(client.ask("SELECT id, a FROM k.plain"))
    assert sorted(rows) == [("x", "1"), ("y", "2")]


def test_each_part_of_a_batch_changes_the_fingerprint_of_its_request() -> None:
    batches = [
        Batch("UNLOGGED", (("a", ()),)),
        Batch("LOGGED", (("a", ()),)),
        Batch("UNLOGGED", (("b", ()),)),
        Batch("UNLOGGED", (("a", (b"1",)),)),
        Batch("UNLOGGED", ()),
        None,
    ]
    prints = set()
    for batch in batches:
        request = Request("BATCH", 1)
        request.batch = batch
        prints.add(request.fingerprint())

    assert len(prints) == len(batches)
