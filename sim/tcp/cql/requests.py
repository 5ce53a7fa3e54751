"""Bodies of requests: from the bytes a client sends to a `sim.scylla.wire.Request`."""

from collections.abc import Callable

from sim.scylla.cql.binding import UNSET, Value
from sim.scylla.wire import Batch, Request
from sim.tcp.codec import Malformed
from sim.tcp.cql.primitives import Reader

OPCODES = {
    0x01: "STARTUP",
    0x05: "OPTIONS",
    0x07: "QUERY",
    0x09: "PREPARE",
    0x0A: "EXECUTE",
    0x0B: "REGISTER",
    0x0D: "BATCH",
    0x0F: "AUTH_RESPONSE",
}
_EVENTS = frozenset({"TOPOLOGY_CHANGE", "STATUS_CHANGE", "SCHEMA_CHANGE"})

_VALUES, _SKIP_METADATA, _PAGE_SIZE, _PAGING_STATE = 0x01, 0x02, 0x04, 0x08
_SERIAL, _TIMESTAMP, _NAMES = 0x10, 0x20, 0x40
_KNOWN_FLAGS = 0x7F
_BATCHES = ("LOGGED", "UNLOGGED", "COUNTER")
_LOWEST_TIMESTAMP = -(2**63)


def fill(request: Request, body: Reader) -> bool:
    """Read the body of `request`; True if its answer is to come without metadata."""
    read = _BODIES.get(request.kind)
    return read is not None and read(request, body)


def _startup(_: Request, body: Reader) -> bool:
    options = body.string_map()
    if "CQL_VERSION" not in options:
        raise Malformed("STARTUP without CQL_VERSION")
    if "COMPRESSION" in options:
        raise Malformed(f"Unknown compression algorithm: {options['COMPRESSION']}")
    body.finish()
    return False


def _prepare(request: Request, body: Reader) -> bool:
    request.text = body.long_string()
    body.finish()
    return False


def _query(request: Request, body: Reader) -> bool:
    request.text = body.long_string()
    return _options(request, body)


def _execute(request: Request, body: Reader) -> bool:
    request.query_id = body.short_bytes()
    return _options(request, body)


def _register(request: Request, body: Reader) -> bool:
    request.events = body.string_list()
    body.finish()
    for event in request.events:
        if event not in _EVENTS:
            raise Malformed(f"Unknown event type: {event}")
    return False


def _options(request: Request, body: Reader) -> bool:
    request.level = body.short()
    flags = body.byte()
    if flags & ~_KNOWN_FLAGS:
        raise Malformed(f"unknown flags {flags:#04x} of a {request.kind}")
    if flags & _VALUES:
        _bind(request, body, named=bool(flags & _NAMES))
    if flags & _PAGE_SIZE:
        request.page_size = body.integer()
    if flags & _PAGING_STATE:
        request.paging_state = body.sized()[1]
    _end(request, body, flags)
    return bool(flags & _SKIP_METADATA)


def _batch(request: Request, body: Reader) -> bool:
    kind = body.byte()
    if kind >= len(_BATCHES):
        raise Malformed(f"Invalid BATCH message type {kind}")
    parts: list[tuple[str | bytes, tuple[Value, ...]]] = []
    for _ in range(body.short()):
        what: str | bytes = body.short_bytes() if body.byte() else body.long_string()
        parts.append((what, tuple([_value(body, request.version) for _ in range(body.short())])))
    request.batch = Batch(_BATCHES[kind], tuple(parts))
    request.level = body.short()
    flags = body.byte()
    if flags & ~(_SERIAL | _TIMESTAMP):  # names of values cannot be decoded: CASSANDRA-10246
        raise Malformed(f"flags {flags:#04x} of a BATCH that are unknown or cannot be served")
    _end(request, body, flags)
    return False


def _end(request: Request, body: Reader, flags: int) -> None:
    if flags & _SERIAL:
        request.serial_level = body.short()
    if flags & _TIMESTAMP:
        timestamp = body.long()
        if timestamp == _LOWEST_TIMESTAMP:
            raise Malformed(f"Out of bound timestamp, must be in [{1 - 2**63}, {2**63 - 1}]")
        request.timestamp = timestamp
    body.finish()


def _bind(request: Request, body: Reader, *, named: bool) -> None:
    names, values = [], []
    for _ in range(body.short()):
        if named:
            names.append(body.string())
        values.append(_value(body, request.version))
    request.names = tuple(names)
    request.parameters = tuple(values)


def _value(body: Reader, version: int) -> Value:
    size, content = body.sized()
    if size >= -1 or version < 4:  # version 3 knows no unset value: whatever is negative is null
        return content
    if size == -2:
        return UNSET
    raise Malformed(f"a value of {size} bytes")


_BODIES: dict[str, Callable[[Request, Reader], bool]] = {
    "STARTUP": _startup,
    "PREPARE": _prepare,
    "QUERY": _query,
    "EXECUTE": _execute,
    "REGISTER": _register,
    "BATCH": _batch,
}
