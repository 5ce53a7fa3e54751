"""CQL's native protocol on a link: frames, names of opcodes, addresses rewritten in answers.

A frame of protocol version 3 or 4 is a header of 9 bytes (version, flags, stream, opcode,
length) and its body. Drivers learn the other nodes from the rows of ``system.peers``,
``system.peers_v2`` and ``system.local``, and from events. Addresses are rewritten in place: the
proxies' are of the same family, so that no length changes.
"""

import struct
from collections.abc import Mapping
from ipaddress import ip_address

from scenarios.backends.base import Address
from scenarios.stages.real.proxies.framing import Message

_HEADER = struct.Struct(">BBhBi")
_QUERY, _RESULT, _EVENT = 0x07, 0x08, 0x0C
_OPCODES = {
    0x00: "ERROR",
    0x01: "STARTUP",
    0x02: "READY",
    0x03: "AUTHENTICATE",
    0x05: "OPTIONS",
    0x06: "SUPPORTED",
    _QUERY: "QUERY",
    _RESULT: "RESULT",
    0x09: "PREPARE",
    0x0A: "EXECUTE",
    0x0B: "REGISTER",
    _EVENT: "EVENT",
    0x0D: "BATCH",
    0x0E: "AUTH_CHALLENGE",
    0x0F: "AUTH_RESPONSE",
    0x10: "AUTH_SUCCESS",
}
_ROWS, _GLOBAL_TABLE, _MORE_PAGES, _NO_METADATA = 2, 1, 2, 4
_TABLES = (b"system.peers", b"system.local")
_HOSTS, _PORTS = ("rpc_address", "native_address"), ("native_port",)
_PARAMETERS = {0x20: 1, 0x21: 2, 0x22: 1}  # of list, map, set


class CqlDialect:
    """One connection; `ways` maps the nodes' addresses to those of this client's proxies."""

    def __init__(self, ways: Mapping[Address, Address]) -> None:
        self._ways = ways
        self._asked: set[int] = set()  # streams on which the system tables were asked for

    def requests(self, buffer: bytearray) -> list[Message]:
        """Take whole requests out of `buffer`."""
        messages = []
        for opcode, stream, frame in _frames(buffer):
            if opcode == _QUERY and any(table in frame for table in _TABLES):
                self._asked.add(stream)
            messages.append(Message(_OPCODES.get(opcode, str(opcode)), bytes(frame)))
        return messages

    def responses(self, buffer: bytearray) -> list[Message]:
        """Take whole answers out of `buffer`, addresses rewritten."""
        messages = []
        for opcode, stream, frame in _frames(buffer):
            if opcode == _EVENT:
                _rewrite_event(frame, self._ways)
            elif stream in self._asked:
                self._asked.discard(stream)
                if opcode == _RESULT:
                    _rewrite_rows(frame, self._ways)
            messages.append(Message(_OPCODES.get(opcode, str(opcode)), bytes(frame)))
        return messages


def _frames(buffer: bytearray) -> list[tuple[int, int, bytearray]]:
    frames = []
    while len(buffer) >= _HEADER.size:
        _, _, stream, opcode, size = _HEADER.unpack_from(buffer)
        if len(buffer) < _HEADER.size + size:
            break
        frames.append((opcode, stream, buffer[: _HEADER.size + size]))
        del buffer[: _HEADER.size + size]
    return frames


class _Reader:
    """Walks over the body of a frame."""

    def __init__(self, frame: bytearray) -> None:
        self.frame = frame
        self.at = _HEADER.size

    def four(self) -> int:
        """Read 4 bytes."""
        (value,) = struct.unpack_from(">i", self.frame, self.at)
        self.at += 4
        return int(value)

    def two(self) -> int:
        """Read 2 bytes."""
        (value,) = struct.unpack_from(">H", self.frame, self.at)
        self.at += 2
        return int(value)

    def string(self) -> str:
        """Read a string with a length of 2 bytes."""
        size = self.two()
        self.at += size
        return self.frame[self.at - size : self.at].decode()

    def cell(self) -> tuple[int, int]:
        """Skip a value with a length of 4 bytes; return where it lies and its size (-1: null)."""
        size = self.four()
        start = self.at
        self.at += max(size, 0)
        return start, size

    def option(self) -> None:
        """Skip the type of a column."""
        kind = self.two()
        if kind == 0x00:
            self.string()
        elif kind in _PARAMETERS:
            for _ in range(_PARAMETERS[kind]):
                self.option()
        elif kind == 0x31:  # tuple
            for _ in range(self.two()):
                self.option()
        elif kind == 0x30:  # user-defined type
            self.string()
            self.string()
            for _ in range(self.two()):
                self.string()
                self.option()


def _rewrite_rows(frame: bytearray, ways: Mapping[Address, Address]) -> None:
    reader = _Reader(frame)
    if reader.four() != _ROWS:
        return
    names = _columns(reader)
    for _ in range(reader.four()):
        row = {name: reader.cell() for name in names}
        _rewrite_row(frame, row, ways)


def _columns(reader: _Reader) -> list[str]:
    flags, count = reader.four(), reader.four()
    if flags & _MORE_PAGES:
        reader.cell()
    if flags & _NO_METADATA:
        return []
    if flags & _GLOBAL_TABLE:
        reader.string()
        reader.string()
    names = []
    for _ in range(count):
        if not flags & _GLOBAL_TABLE:
            reader.string()
            reader.string()
        names.append(reader.string())
        reader.option()
    return names


def _rewrite_row(
    frame: bytearray, row: dict[str, tuple[int, int]], ways: Mapping[Address, Address]
) -> None:
    port = None
    for name in _PORTS:
        start, size = row.get(name, (0, -1))
        if size == 4:
            (port,) = struct.unpack_from(">i", frame, start)
    for name in _HOSTS:
        start, size = row.get(name, (0, -1))
        way = _way(bytes(frame[start : start + size]), port, ways) if size > 0 else None
        if way is not None:
            frame[start : start + size] = ip_address(way.host).packed
            for port_name in _PORTS:
                at, wide = row.get(port_name, (0, -1))
                if wide == 4:
                    struct.pack_into(">i", frame, at, way.port)


def _rewrite_event(frame: bytearray, ways: Mapping[Address, Address]) -> None:
    reader = _Reader(frame)
    if reader.string() not in {"TOPOLOGY_CHANGE", "STATUS_CHANGE"}:
        return
    reader.string()
    size = frame[reader.at]
    start = reader.at + 1
    (port,) = struct.unpack_from(">i", frame, start + size)
    way = _way(bytes(frame[start : start + size]), port, ways)
    if way is not None:
        frame[start : start + size] = ip_address(way.host).packed
        struct.pack_into(">i", frame, start + size, way.port)


def _way(packed: bytes, port: int | None, ways: Mapping[Address, Address]) -> Address | None:
    """Return the proxy before a node; without a port, nodes are told apart by their hosts."""
    host = str(ip_address(packed))
    if port is not None:
        return ways.get(Address(host, port))
    return next((way for node, way in ways.items() if node.host == host), None)
