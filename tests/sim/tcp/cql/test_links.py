"""Links: what one node says is what the other hears; strangers are turned away."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.scylla.cql import parser
from sim.scylla.cql.writes import Mutation
from sim.scylla.ddl import Outcome, Wish
from sim.scylla.errors import AlreadyExists
from sim.scylla.node import Node
from sim.scylla.peers import Fetch, Found, PeerMessage, State
from sim.scylla.schema import Change, Schema
from sim.scylla.storage import EVERYTHING, NEVER, digest
from sim.scylla.table import token
from sim.tcp.codec import Malformed
from sim.tcp.cql.config import Config, Member, ring
from sim.tcp.cql.links import Link
from tests.sim.tcp.cql.node import KEYSPACE, TABLE

_MEMBERS = tuple(Member(name=f"db-{n}", port=9000 + n) for n in (1, 2))


def node(name: str, cluster: str = "wavetank") -> Node:
    config = Config(name=name, data="-", members=_MEMBERS, cluster=cluster)
    made = Node(name, ring(config, 0), cluster, "batch")
    for text in (KEYSPACE, TABLE):
        made.schema, _ = made.schema.changed(parser.parse(text), None, made.ring.datacenters)
    return made


def pair() -> tuple[Link, Link]:
    """Return the ends of a link from db-1 to db-2, who have met."""
    near = Link(node("db-1"), "wavetank", dialled="db-2")
    far = Link(node("db-2"), "wavetank")
    (echo,) = far.decode(near.greeting)
    assert (echo.kind, echo.id, far.peer) == ("Echo", 0, "db-1")
    reply = PeerMessage("EchoReply", 0, node("db-2").state())
    assert [message.kind for message in near.decode(far.encode(reply))] == ["EchoReply"]
    return near, far


NEAR, FAR = pair()

_ts = st.integers(NEVER, 2**63 - 1)
_key = st.lists(st.binary(max_size=6), max_size=2).map(tuple)
_cell = st.tuples(_ts, st.integers(0, 1), st.binary(max_size=8))
_cells = st.lists(st.tuples(st.integers(0, 5), _cell), max_size=3).map(tuple)
_rows = st.lists(st.tuples(_key, _ts, _ts, _cells), max_size=3).map(tuple)
_bound = st.tuples(_key, st.booleans())
_interval = st.tuples(_bound, _bound)
_ranges = st.lists(st.tuples(_interval, _ts), max_size=2).map(tuple)
_update = st.tuples(_ts, _ranges, _rows)
_partitions = st.lists(st.tuples(st.binary(max_size=6), _update), max_size=3).map(tuple)
_position = st.none() | st.tuples(_ts, st.binary(max_size=6), _key)


def _table() -> Any:
    return NEAR._node.schema.keyspaces["k"].tables["t"]


_mutation = st.builds(
    lambda key, update: Mutation(_table(), key, token(key), update), st.binary(max_size=8), _update
)
_fetch = st.builds(
    lambda key, intervals, limit, flags, members, start, tokens: Fetch(
        _table(),
        key,
        tuple(intervals),
        limit,
        backwards=flags[0],
        digest_only=flags[1],
        keyspace=NEAR._node.schema.keyspaces["k"] if flags[2] else None,
        members=tuple(members),
        start=start,
        tokens=tokens,
    ),
    st.none() | st.binary(max_size=6),
    st.lists(_interval, max_size=2),
    st.integers(0, 2**31),
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
    st.lists(st.text(max_size=5), max_size=3),
    _position,
    st.none() | st.tuples(_ts, _ts),
)
_found = st.builds(Found, st.binary(max_size=16), st.none() | _partitions)
_message = st.one_of(
    st.tuples(st.sampled_from(["Write", "Hint", "Repair"]), _mutation),
    st.tuples(st.just("Fetch"), _fetch),
    st.tuples(st.just("FetchReply"), _found),
    st.tuples(st.just("Truncate"), st.tuples(st.binary(max_size=16))),
    st.tuples(st.sampled_from(["AppliedReply", "TruncateReply"]), st.just(())),
    st.tuples(st.just("Wish"), st.builds(Wish, st.text(max_size=20), st.none() | st.text())),
)


@given(st.lists(st.tuples(_message, st.integers(1, 2**60)), max_size=4), st.data())
def test_what_one_node_says_is_what_the_other_hears_however_it_is_cut(
    said: list[tuple[tuple[str, Any], int]], data: st.DataObject
) -> None:
    messages = [PeerMessage(kind, id_, content) for (kind, content), id_ in said]
    near, far = pair()
    bytes_ = b"".join(map(near.encode, messages))
    heard: list[PeerMessage] = []
    while bytes_:
        size = data.draw(st.integers(1, len(bytes_)))
        heard += far.decode(bytes_[:size])
        bytes_ = bytes_[size:]
    assert [each.fingerprint() for each in heard] == [each.fingerprint() for each in messages]


@given(_partitions)
def test_rows_have_the_same_digest_on_both_sides(partitions: Any) -> None:
    found = PeerMessage("FetchReply", 1, Found(b"", partitions))
    (heard,) = FAR.decode(NEAR.encode(found))
    assert digest(heard.content.partitions) == digest(partitions)


def test_a_schema_keeps_the_tables_that_are_known() -> None:
    far = FAR._node
    table = far.schema.keyspaces["k"].tables["t"]
    other = "CREATE TABLE k.other (a int PRIMARY KEY)"
    schema, change = NEAR._node.schema.changed(parser.parse(other), None, ("datacenter1",))
    (heard,) = FAR.decode(NEAR.encode(PeerMessage("Adopt", 1, State(3, schema, change))))
    got: Schema = heard.content.schema
    assert (got.version, got.counter) == (schema.version, schema.counter)
    assert got.keyspaces["k"].tables["t"] is table
    assert list(got.keyspaces["k"].tables) == ["t", "other"]
    assert heard.content.change == Change("CREATED", "TABLE", "k", "other")
    assert heard.content.generation == 3


def test_a_refused_change_arrives_with_its_error() -> None:
    outcome = Outcome(NEAR._node.state(), AlreadyExists("k", "t"))
    (heard,) = FAR.decode(NEAR.encode(PeerMessage("WishReply", 1, outcome)))
    error = heard.content.error
    assert (error.code, error.message) == (0x2400, "Cannot add already existing table 'k.t'")
    assert error.fields == {"keyspace": "k", "table": "t"}
    assert heard.content.state.schema is FAR._node.schema


def test_nothing_is_heard_of_a_table_that_is_gone() -> None:
    dropped = NEAR._node.schema.changed(parser.parse("DROP TABLE k.t"), None, ("datacenter1",))[0]
    near, far = pair()
    far._node.schema = dropped
    fetch = Fetch(_table(), b"k", (EVERYTHING,), 0)
    assert list(far.decode(near.encode(PeerMessage("Fetch", 1, fetch)))) == []


@pytest.mark.parametrize(
    ("greeting", "why"),
    [
        (Link(node("db-1", "other"), "other", dialled="db-2").greeting, "a node of cluster"),
        (Link(node("db-1"), "wavetank", dialled="db-1").greeting, "looks for db-1; this is db-2"),
        (Link(node("db-2"), "wavetank", dialled="db-2").greeting, "db-2 looks for db-2"),
        (b"\0\0\0\x01\x80", "no message between nodes"),
        (b"GET / HTTP/1.1\r\n\r\n", "bytes between nodes"),
    ],
)  # fmt: skip
def test_strangers_are_turned_away(greeting: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        list(Link(node("db-2"), "wavetank").decode(greeting))
