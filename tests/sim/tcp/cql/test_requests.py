"""Requests as the real driver encodes them, read back by the nodes' codec."""

import pytest
from cassandra import protocol
from hypothesis import given
from hypothesis import strategies as st

from sim.doors.cassandra.messages import request_of
from sim.scylla.wire import Request
from sim.tcp.codec import Malformed
from sim.tcp.cql.frames import Conversation

_int64 = st.integers(0, 2**63 - 1)  # the driver sends no negative timestamp
_level = st.integers(0, 10)
_maybe_level = st.none() | st.integers(8, 9)
_value = st.none() | st.binary(max_size=40) | st.just(protocol._UNSET_VALUE)
_page = st.none() | st.integers(1, 2**31 - 1)
_state = st.none() | st.binary(min_size=1, max_size=30)
_event = st.sampled_from(["TOPOLOGY_CHANGE", "STATUS_CHANGE", "SCHEMA_CHANGE"])

_messages = st.one_of(
    st.builds(
        protocol.QueryMessage,
        st.text(max_size=60),
        _level,
        _maybe_level,
        _page,
        _state,
        st.none() | _int64,
    ),
    st.builds(
        protocol.ExecuteMessage,
        st.binary(min_size=1, max_size=20),
        st.lists(_value, max_size=12),
        _level,
        _maybe_level,
        _page,
        _state,
        st.none() | _int64,
        st.booleans(),
    ),
    st.builds(protocol.PrepareMessage, st.text(max_size=60)),
    st.builds(protocol.RegisterMessage, st.lists(_event, max_size=3)),
    st.builds(protocol.OptionsMessage),
)


def encoded(message: object, stream: int = 1, version: int = 4) -> bytes:
    content: bytes = protocol.ProtocolHandler.encode_message(message, stream, version, None, False)
    return content


def started() -> Conversation:
    conversation = Conversation("client")
    startup = protocol.StartupMessage(cqlversion="3.3.1", options={})
    assert [request.kind for request in conversation.decode(encoded(startup))] == ["STARTUP"]
    return conversation


@given(st.lists(st.tuples(_messages, st.integers(0, 32767)), max_size=4), st.data())
def test_what_the_driver_sends_is_what_the_node_gets_however_it_is_cut(
    sent: list[tuple[object, int]], data: st.DataObject
) -> None:
    stream_of_bytes = b"".join(encoded(message, stream) for message, stream in sent)
    conversation = started()
    got: list[Request] = []
    while stream_of_bytes:
        size = data.draw(st.integers(1, len(stream_of_bytes)))
        got += conversation.decode(stream_of_bytes[:size])
        stream_of_bytes = stream_of_bytes[size:]
    wanted = [request_of(message, stream, 4) for message, stream in sent]
    assert [request.fingerprint() for request in got] == [w.fingerprint() for w in wanted]


@given(st.binary(max_size=200), st.sampled_from([1, 5, 7, 9, 10, 11, 13, 15]))
def test_any_bytes_are_requests_or_malformed_and_nothing_else(body: bytes, opcode: int) -> None:
    frame = bytes([4, 0, 0, 1, opcode]) + len(body).to_bytes(4, "big") + body
    try:
        got = list(started().decode(frame))
    except Malformed:
        return
    assert [type(request) for request in got] == [Request]


@given(st.integers(0, len(encoded(protocol.ExecuteMessage(b"id", [b"x", None], 1)))))
def test_a_part_of_a_frame_is_no_request_yet(size: int) -> None:
    frame = encoded(protocol.ExecuteMessage(b"id", [b"x", None], 1))
    assert len(list(started().decode(frame[:size]))) == (size == len(frame))


def test_named_values_keep_their_names() -> None:
    body = b"\0\0\0\x03SEL" + b"\0\x01" + b"\x41" + b"\0\x01" + b"\0\x01n" + b"\0\0\0\x01v"
    frame = bytes([4, 0, 0, 1, 7]) + len(body).to_bytes(4, "big") + body
    (request,) = started().decode(frame)
    assert request.names == ("n",)
    assert request.parameters == (b"v",)


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (bytes([4, 0, 0, 1, 5, 0x10, 0, 0, 1]), "Request is too big: length 268435457"),
        (bytes([4, 0, 0, 1, 0x77, 0, 0, 0, 0]), "Unknown opcode 0x77"),
        (bytes([2, 0, 1, 5, 0, 0, 0, 0, 0]), "unsupported protocol version (2)"),
        (b"GET / HTTP/1.1\r\n", "unsupported protocol version (71)"),
        (bytes([4, 1, 0, 1, 5, 0, 0, 0, 0]), "no compression was agreed on"),
        (bytes([4, 0, 0, 1, 9, 0, 0, 0, 4, 0, 0, 0, 9]), "9 bytes where 0 are left"),
        (bytes([4, 0, 0, 1, 11, 0, 0, 0, 5, 0, 1, 0, 1, 65]), "Unknown event type: A"),
    ],
)
def test_a_malformed_frame_is_told_by_what_is_wrong_with_it(frame: bytes, why: str) -> None:
    if frame[:1] == b"G":
        (request,) = Conversation("client").decode(frame[:4] + b"\0" * 5)
        assert request.version == 71
        return
    with pytest.raises(Malformed) as caught:
        list(started().decode(frame))
    assert why in str(caught.value)


def test_statements_before_startup_are_refused() -> None:
    with pytest.raises(Malformed, match="expecting STARTUP"):
        list(Conversation("client").decode(encoded(protocol.QueryMessage("USE k", 1))))


def test_a_newer_version_reaches_the_node_to_be_refused() -> None:
    (request,) = Conversation("client").decode(encoded(protocol.OptionsMessage(), version=5))
    assert (request.kind, request.version) == ("OPTIONS", 5)
