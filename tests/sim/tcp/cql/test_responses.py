"""Responses as the nodes encode them, read by the real driver."""

from typing import Any

import pytest
from cassandra import protocol
from hypothesis import given
from hypothesis import strategies as st

from sim.doors.cassandra.messages import message_of
from sim.scylla import errors
from sim.scylla.cql.binding import Bound
from sim.scylla.cql.selects import Output
from sim.scylla.cql.types import named
from sim.scylla.schema import Change
from sim.scylla.wire import (
    READY,
    SUPPORTED,
    VOID,
    Body,
    Event,
    Failure,
    Prepared,
    Response,
    Rows,
    SchemaChanged,
    SetKeyspace,
)
from sim.tcp.cql.frames import HEADER, Conversation
from tests.sim.tcp.cql.test_requests import encoded, started

_TYPES = [
    "ascii", "bigint", "blob", "boolean", "decimal", "double", "inet", "int", "smallint", "text",
    "timestamp", "timeuuid", "tinyint", "uuid", "varint", "frozen<list<int>>", "set<text>",
    "frozen<map<text, frozen<list<bigint>>>>",
]  # fmt: skip
_name = st.text(min_size=1, max_size=10)
_int = st.integers(0, 2**31 - 1)
_output = st.builds(Output, _name, _name, _name, st.sampled_from(_TYPES).map(named))
_blob = named("blob")


def decoded(
    body: Body, *, version: int = 4, conversation: Conversation | None = None, metadata: Any = None
) -> Any:
    conversation = conversation or started()
    frame = conversation.encode(Response(7, body))
    got_version, flags, stream, opcode, size = HEADER.unpack_from(frame)
    assert (got_version, stream, size) == (version | 0x80, 7, len(frame) - HEADER.size)
    return protocol._ProtocolHandler.decode_message(
        version, {}, stream, flags, opcode, frame[HEADER.size :], None, metadata
    )


def same(body: Body) -> None:
    """Compare what the driver reads with what the simulated door hands it for the same body."""
    got, wanted = decoded(body), message_of(body)
    assert type(got) is type(wanted)
    for name, value in vars(wanted).items():
        assert _plain(getattr(got, name) or None) == _plain(value or None), name


def _plain(value: Any) -> Any:
    """Type classes with parameters are made anew each time: compare their names."""
    if isinstance(value, type):
        kind: Any = value
        return kind.cql_parameterized_type().replace("varchar", "text")
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


@given(
    st.lists(_name, min_size=1, max_size=5),
    st.data(),
    st.none() | st.binary(min_size=1, max_size=20),
)
def test_rows_arrive(names: list[str], data: st.DataObject, state: bytes | None) -> None:
    outputs = tuple(Output("k", "t", name, _blob) for name in names)
    row = st.tuples(*[st.none() | st.binary(max_size=20) for _ in names])
    rows = tuple(data.draw(st.lists(row, max_size=5)))
    same(Rows(outputs, rows, state))


@given(st.lists(_output, min_size=1, max_size=6))
def test_columns_of_any_type_and_table_arrive(outputs: list[Output]) -> None:
    got = decoded(Rows(tuple(outputs), (), None))
    assert _plain(got.column_metadata) == _plain([(*o[:3], o.type.driver) for o in outputs])


@given(
    st.binary(min_size=1, max_size=16),
    st.lists(_output, max_size=5),
    st.lists(st.integers(0, 9), max_size=3),
    st.lists(_output, max_size=5),
)
def test_a_prepared_statement_arrives(
    id_: bytes, markers: list[Output], routing: list[int], outputs: list[Output]
) -> None:
    bound = tuple(Bound(*marker) for marker in markers)
    same(Prepared(id_, bound, tuple(routing), tuple(outputs)))


@pytest.mark.parametrize(
    "body",
    [
        READY,
        SUPPORTED,
        VOID,
        SetKeyspace("k"),
        SchemaChanged(Change("CREATED", "KEYSPACE", "k", "")),
        SchemaChanged(Change("DROPPED", "TABLE", "k", "t")),
        Event("STATUS_CHANGE", (("change_type", "UP"), ("address", "127.0.0.1:9042"))),
        Event("STATUS_CHANGE", (("change_type", "DOWN"), ("address", "::1:9042"))),
        Event(
            "SCHEMA_CHANGE",
            (
                ("change_type", "CREATED"),
                ("target_type", "TABLE"),
                ("keyspace", "k"),
                ("table", "t"),
            ),
        ),
    ],
)  # fmt: skip
def test_other_bodies_arrive(body: Body) -> None:
    same(body)


_counts = st.tuples(st.integers(0, 10), st.just("QUORUM"), _int, _int)
_errors = st.one_of(
    st.builds(errors.SyntaxFault, st.text()),
    st.builds(errors.Invalid, st.text()),
    st.builds(errors.Misconfigured, st.text()),
    st.builds(errors.ProtocolFault, st.text()),
    st.builds(errors.AlreadyExists, _name, st.just("") | _name),
    st.builds(errors.Unprepared, st.binary(max_size=16)),
    _counts.map(lambda counts: errors.Unavailable(*counts)),
    _counts.map(lambda counts: errors.WriteTimeout("k.t", *counts)),
    st.tuples(_counts, st.booleans()).map(
        lambda pair: errors.ReadTimeout("k.t", *pair[0], data_retrieved=pair[1])
    ),
    st.tuples(_counts, _int).map(lambda pair: errors.WriteFailure("k.t", *pair[0], pair[1])),
)


@given(_errors)
def test_errors_arrive_with_all_their_fields(error: errors.CqlError) -> None:
    same(Failure(error))


def test_version_3_hears_of_a_failure_as_a_timeout() -> None:
    conversation = Conversation("client")
    startup = protocol.StartupMessage(cqlversion="3.3.1", options={})
    list(conversation.decode(encoded(startup, stream=7, version=3)))
    error = errors.WriteFailure("k.t", 4, "QUORUM", 1, 2, 1)
    got = decoded(Failure(error), version=3, conversation=conversation)
    assert isinstance(got, protocol.WriteTimeoutErrorMessage)
    assert got.info["received_responses"] == 1


def test_a_client_that_knows_the_columns_gets_rows_without_them() -> None:
    conversation = started()
    execute = protocol.ExecuteMessage(b"id", [], 1, skip_meta=True)
    list(conversation.decode(encoded(execute, stream=7)))
    body = Rows((Output("k", "t", "c", _blob),), ((b"x",),), None)
    metadata = [("k", "t", "c", _blob.driver)]
    got = decoded(body, conversation=conversation, metadata=metadata)
    assert got.parsed_rows == [(b"x",)]


def test_whoever_wants_a_trace_is_warned_that_there_is_none() -> None:
    conversation = started()
    query = protocol.QueryMessage("SELECT", 1)
    query.tracing = True
    list(conversation.decode(encoded(query, stream=7)))
    (warning,) = decoded(VOID, conversation=conversation).warnings
    assert "no trace was recorded" in warning


def test_an_error_too_long_for_its_notation_is_cut_between_characters() -> None:
    got = decoded(Failure(errors.Invalid("é" * 40_000)))
    assert got.message == "é" * 32767
