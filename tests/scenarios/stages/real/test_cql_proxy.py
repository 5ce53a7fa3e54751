"""CQL's frames on a link: cut anywhere, named, and the nodes' addresses rewritten in place."""

import struct
from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from scenarios.backends.base import Address
from scenarios.stages.real.proxies.cql import CqlDialect

NODES = [Address(f"127.0.0.{n}", 9042) for n in (1, 2, 3)]
WAYS = {node: Address(f"127.7.1.{n}", 9042 + 100) for n, node in enumerate(NODES, 1)}
INET, INT, VARCHAR, SET = 0x10, 0x09, 0x0D, 0x22


def frame(opcode: int, body: bytes, stream: int = 5) -> bytes:
    return struct.pack(">BBhBi", 4, 0, stream, opcode, len(body)) + body


def text(value: str) -> bytes:
    return struct.pack(">H", len(value)) + value.encode()


def query(cql: str) -> bytes:
    return frame(0x07, struct.pack(">i", len(cql)) + cql.encode() + b"\0\1\0")


def cell(content: bytes | None) -> bytes:
    return b"\xff\xff\xff\xff" if content is None else struct.pack(">i", len(content)) + content


def rows(columns: list[tuple[str, bytes]], *table: list[bytes | None]) -> bytes:
    head = struct.pack(">iii", 2, 1, len(columns)) + text("system") + text("peers_v2")
    specs = b"".join(text(name) + kind for name, kind in columns)
    cells = b"".join(cell(value) for row in table for value in row)
    return frame(0x08, head + specs + struct.pack(">i", len(table)) + cells)


def packed(host: str) -> bytes:
    return ip_address(host).packed


COLUMNS = [
    ("peer", struct.pack(">H", INET)),
    ("tokens", struct.pack(">HH", SET, VARCHAR)),
    ("native_address", struct.pack(">H", INET)),
    ("native_port", struct.pack(">H", INT)),
]


def row(host: str, port: int) -> list[bytes | None]:
    return [packed(host), None, packed(host), struct.pack(">i", port)]


def test_peers_lead_over_the_proxies() -> None:
    dialect = CqlDialect(WAYS)
    dialect.requests(bytearray(query("SELECT * FROM system.peers_v2")))

    (answer,) = dialect.responses(bytearray(rows(COLUMNS, row("127.0.0.2", 9042))))

    way = WAYS[NODES[1]]
    expected = [packed("127.0.0.2"), None, packed(way.host), struct.pack(">i", way.port)]
    assert answer.content == rows(COLUMNS, expected)
    assert answer.kind == "RESULT"


def test_without_a_port_nodes_are_told_apart_by_their_hosts() -> None:
    dialect = CqlDialect(WAYS)
    dialect.requests(bytearray(query("SELECT rpc_address FROM system.peers")))
    columns = [("rpc_address", struct.pack(">H", INET))]

    (answer,) = dialect.responses(bytearray(rows(columns, [packed("127.0.0.3")])))

    assert answer.content == rows(columns, [packed("127.7.1.3")])


def test_other_rows_are_left_alone() -> None:
    dialect = CqlDialect(WAYS)
    dialect.requests(bytearray(query("SELECT native_address FROM wavetank.hosts")))
    content = rows(COLUMNS, row("127.0.0.2", 9042))

    (answer,) = dialect.responses(bytearray(content))

    assert answer.content == content


def test_events_name_the_proxies() -> None:
    def event(host: str, port: int) -> bytes:
        where = b"\x04" + packed(host) + struct.pack(">i", port)
        return frame(0x0C, text("STATUS_CHANGE") + text("DOWN") + where, stream=-1)

    (message,) = CqlDialect(WAYS).responses(bytearray(event("127.0.0.1", 9042)))

    assert message.content == event("127.7.1.1", 9142)
    assert message.kind == "EVENT"


@given(
    st.lists(st.tuples(st.sampled_from([1, 5, 9, 10]), st.binary(max_size=30)), max_size=8),
    st.lists(st.integers(1, 40), max_size=30),
)
def test_however_bytes_arrive_the_same_requests_come_out(
    asked: list[tuple[int, bytes]], sizes: list[int]
) -> None:
    stream = b"".join(frame(opcode, body) for opcode, body in asked)
    dialect, buffer, found = CqlDialect(WAYS), bytearray(), []

    at = 0
    for size in [*sizes, len(stream)]:
        buffer += stream[at : at + size]
        at += size
        found += dialect.requests(buffer)

    names = {1: "STARTUP", 5: "OPTIONS", 9: "PREPARE", 10: "EXECUTE"}
    assert [message.kind for message in found] == [names[opcode] for opcode, _ in asked]
    assert b"".join(message.content for message in found) == stream
