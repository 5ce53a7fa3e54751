"""Kafka's frames on a link: cut anywhere, named, and their addresses rewritten."""

import dataclasses
import datetime as dt
import io
import struct
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from kio.index import load_request_schema, load_response_schema
from kio.schema.errors import ErrorCode
from kio.serial import entity_reader, entity_writer
from kio.static.primitive import i32Timedelta

from scenarios.backends.base import Address
from scenarios.stages.real.proxies.kafka import NEWEST, KafkaDialect

BROKER, PROXY = Address("127.0.0.1", 9092), Address("127.0.0.1", 20001)
WAYS = {BROKER: PROXY}
_REST = b"\xff\xff\0\0\xff\xff"  # no client id, no tags, no transaction, acks=all


def frame(content: bytes) -> bytes:
    return struct.pack(">i", len(content)) + content


def request(key: int, version: int, correlation: int, rest: bytes = b"") -> bytes:
    return frame(struct.pack(">hhi", key, version, correlation) + rest)


def response(schema: Any, body: Any, correlation: int = 7) -> bytes:
    out = io.BytesIO()
    header = schema.__header_schema__
    entity_writer(header)(out, header(correlation_id=correlation))
    entity_writer(schema)(out, body)
    return frame(out.getvalue())


def body_of(schema: Any, content: bytes) -> Any:
    answer = content[4:]
    _, at = entity_reader(schema.__header_schema__)(answer, 0)
    return entity_reader(schema)(answer, at)[0]


def through(key: int, version: int, answer: bytes) -> bytes:
    dialect = KafkaDialect(WAYS)
    dialect.requests(bytearray(request(key, version, 7, _REST)))
    (message,) = dialect.responses(bytearray(answer))
    return message.content


def filled(schema: Any, **values: Any) -> Any:
    """Make an entity with empty values where none is given."""
    empty: dict[str, Any] = {}
    for field in dataclasses.fields(schema):
        if field.name in values or field.default is not dataclasses.MISSING:
            continue
        kind = str(field.metadata.get("kafka_type", ""))
        if kind == "error_code":
            empty[field.name] = ErrorCode.none
        elif kind == "timedelta_i32":
            empty[field.name] = i32Timedelta.parse(dt.timedelta(0))
        elif kind in {"string", "legacy_string"}:
            empty[field.name] = "x"
        elif kind.startswith(("int", "uint")):
            empty[field.name] = 0
        elif kind == "bool":
            empty[field.name] = False
        elif "tuple" in str(field.type):
            empty[field.name] = ()
        else:
            empty[field.name] = None
    return schema(**{**empty, **values})


def metadata(version: int, host: str, port: int) -> bytes:
    schema: Any = load_response_schema(3, version)
    brokers = schema.__annotations__["brokers"]
    broker = brokers.__args__[0]
    return response(schema, filled(schema, brokers=(filled(broker, host=host, port=port),)))


@given(st.sampled_from(range(1, NEWEST[3] + 1)))
def test_metadata_leads_over_the_proxy_in_every_version(version: int) -> None:
    answer = through(3, version, metadata(version, BROKER.host, BROKER.port))

    (broker,) = body_of(load_response_schema(3, version), answer).brokers
    assert (broker.host, broker.port) == (PROXY.host, PROXY.port)


def test_a_stranger_in_metadata_stays_a_stranger() -> None:
    answer = through(3, 12, metadata(12, "10.0.0.9", 9092))

    (broker,) = body_of(load_response_schema(3, 12), answer).brokers
    assert (broker.host, broker.port) == ("10.0.0.9", 9092)


@given(st.sampled_from(range(NEWEST[10] + 1)))
def test_coordinators_are_found_over_the_proxy_in_every_version(version: int) -> None:
    schema: Any = load_response_schema(10, version)
    where = {"host": BROKER.host, "port": BROKER.port}
    if "coordinators" in schema.__annotations__:
        coordinator = schema.__annotations__["coordinators"].__args__[0]
        body = filled(schema, coordinators=(filled(coordinator, **where),))
    else:
        body = filled(schema, **where)

    found = body_of(schema, through(10, version, response(schema, body)))

    (found,) = getattr(found, "coordinators", (found,))
    assert (found.host, found.port) == (PROXY.host, PROXY.port)


@given(st.sampled_from(((0, 10), (0, NEWEST[0]), (1, 16), (1, NEWEST[1]))))
def test_new_leaders_are_named_with_the_proxy_s_address(api: tuple[int, int]) -> None:
    schema: Any = load_response_schema(*api)
    endpoint = schema.__annotations__["node_endpoints"].__args__[0]
    body = filled(schema, node_endpoints=(filled(endpoint, host=BROKER.host, port=BROKER.port),))

    found = body_of(schema, through(*api, response(schema, body)))

    assert found.node_endpoints[0].port == PROXY.port


def test_no_version_is_offered_that_could_not_be_rewritten() -> None:
    schema: Any = load_response_schema(18, 3)
    api = schema.__annotations__["api_keys"].__args__[0]
    offered = [(key, 99) for key in (*NEWEST, 11)]
    keys = tuple(filled(api, api_key=key, min_version=0, max_version=v) for key, v in offered)

    found = body_of(schema, through(18, 3, response(schema, filled(schema, api_keys=keys))))

    assert {a.api_key: a.max_version for a in found.api_keys} == {**NEWEST, 11: 99}


@given(
    st.lists(st.tuples(st.sampled_from([0, 1, 3, 8, 9, 999]), st.binary(max_size=40)), max_size=8),
    st.lists(st.integers(1, 60), max_size=30),
)
def test_however_bytes_arrive_the_same_requests_come_out(
    asked: list[tuple[int, bytes]], sizes: list[int]
) -> None:
    stream = b"".join(
        request(key, 2, number, b"\xff\xff" + b"\xff\xff\xff\xff" + rest)
        for number, (key, rest) in enumerate(asked)
    )
    dialect, buffer, found = KafkaDialect(WAYS), bytearray(), []

    at = 0
    for size in [*sizes, len(stream)]:
        buffer += stream[at : at + size]
        at += size
        found += dialect.requests(buffer)

    names = {0: "Produce", 1: "Fetch", 3: "Metadata", 8: "OffsetCommit", 9: "OffsetFetch"}
    assert [message.kind for message in found] == [names.get(k, f"Api{k}") for k, _ in asked]
    assert b"".join(message.content for message in found) == stream
    assert not buffer


def test_answers_are_named_by_the_requests_they_answer() -> None:
    dialect = KafkaDialect(WAYS)
    dialect.requests(bytearray(request(8, 7, 1) + request(1, 12, 2)))

    found = dialect.responses(bytearray(frame(b"\0\0\0\1") + frame(b"\0\0\0\2")))

    assert [message.kind for message in found] == ["OffsetCommitResponse", "FetchResponse"]


def test_a_producer_that_wants_no_answer_is_owed_none() -> None:
    schema: Any = load_request_schema(0, 9)
    asked = []
    for acks in (0, -1):
        out = io.BytesIO()
        header = schema.__header_schema__
        entity_writer(header)(
            out,
            header(request_api_key=0, request_api_version=9, correlation_id=acks, client_id="me"),
        )
        entity_writer(schema)(out, filled(schema, transactional_id="t", acks=acks))
        asked.append(frame(out.getvalue()))
    dialect = KafkaDialect(WAYS)
    dialect.requests(bytearray(asked[0] + request(3, 12, 2)))
    kinds = [m.kind for m in dialect.responses(bytearray(metadata(12, "h", 1)))]

    dialect = KafkaDialect(WAYS)
    dialect.requests(bytearray(asked[1]))

    assert kinds == ["MetadataResponse"]
    assert [m.kind for m in dialect.responses(bytearray(frame(b"\0\0\0\1")))] == ["ProduceResponse"]
