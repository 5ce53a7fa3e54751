"""Bodies of responses: from the objects of `sim.scylla.wire` to the bytes a client expects."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from sim.scylla import errors
from sim.scylla.cql.selects import Output
from sim.scylla.cql.types import CqlType
from sim.scylla.wire import (
    Body,
    Event,
    Failure,
    Prepared,
    Rows,
    SchemaChanged,
    Supported,
)
from sim.tcp.cql.primitives import (
    inet,
    integer,
    short,
    short_bytes,
    sized,
    string,
    string_multimap,
)

OPCODES = {"ERROR": 0x00, "READY": 0x02, "SUPPORTED": 0x06, "RESULT": 0x08, "EVENT": 0x0C}

_VOID, _ROWS, _SET_KEYSPACE, _PREPARED, _SCHEMA_CHANGE = map(integer, range(1, 6))
_GLOBAL_SPEC, _MORE_PAGES, _NO_METADATA = 0x01, 0x02, 0x04
_NULL = integer(-1)

_PLAIN_TYPES = {
    "ascii": 0x01,
    "bigint": 0x02,
    "blob": 0x03,
    "boolean": 0x04,
    "counter": 0x05,
    "decimal": 0x06,
    "double": 0x07,
    "float": 0x08,
    "int": 0x09,
    "timestamp": 0x0B,
    "uuid": 0x0C,
    "text": 0x0D,
    "varint": 0x0E,
    "timeuuid": 0x0F,
    "inet": 0x10,
    "date": 0x11,
    "time": 0x12,
    "smallint": 0x13,
    "tinyint": 0x14,
}
_COLLECTIONS = {"list": 0x20, "map": 0x21, "set": 0x22}
_CUSTOM = 0x00

# What takes the place of an error that version 3 does not know.
_BEFORE_V4 = {
    errors.WRITE_FAILURE: errors.WRITE_TIMEOUT,
    errors.READ_FAILURE: errors.READ_TIMEOUT,
}


def encode(body: Body, version: int, *, skip_metadata: bool = False) -> bytes:
    """Return the bytes of a body in a protocol version."""
    kind = type(body)
    if kind is Rows:
        return _rows(body, skip_metadata=skip_metadata)  # type: ignore[arg-type]
    return _BODIES[kind.__name__](body, version)


def _rows(body: Rows, *, skip_metadata: bool) -> bytes:
    flags = _MORE_PAGES if body.paging_state is not None else 0
    flags |= _NO_METADATA if skip_metadata else 0
    columns, spec = _columns(body.outputs)
    if not skip_metadata:
        flags |= spec
    parts = [_ROWS, integer(flags), integer(len(body.outputs))]
    if body.paging_state is not None:
        parts.append(sized(body.paging_state))
    if not skip_metadata:
        parts.append(columns)
    parts.append(integer(len(body.rows)))
    for row in body.rows:
        for value in row:
            if value is None:
                parts.append(_NULL)
            else:
                parts.append(len(value).to_bytes(4, "big"))
                parts.append(value)
    return b"".join(parts)


@lru_cache(maxsize=1024)
def _columns(outputs: tuple[Output, ...]) -> tuple[bytes, int]:
    """Return the descriptions of columns, and the flag for how they name their table."""
    if not outputs:
        return b"", 0
    keyspace, table = outputs[0][:2]
    shared = all(output[:2] == (keyspace, table) for output in outputs)
    parts = [string(keyspace), string(table)] if shared else []
    for output in outputs:
        if not shared:
            parts += [string(output.keyspace), string(output.table)]
        parts += [string(output.name), _type(output.type)]
    return b"".join(parts), _GLOBAL_SPEC if shared else 0


def _type(kind: CqlType) -> bytes:
    if kind.kind in _PLAIN_TYPES:
        return short(_PLAIN_TYPES[kind.kind])
    if kind.kind in _COLLECTIONS:
        inner = b"".join(map(_type, kind.parameters))
        return short(_COLLECTIONS[kind.kind]) + inner
    return short(_CUSTOM) + string(kind.driver.cass_parameterized_type(full=True))


def _prepared(body: Prepared, version: int) -> bytes:
    outputs = tuple([Output(*bound) for bound in body.bound])
    markers, spec = _columns(outputs)
    parts = [_PREPARED, short_bytes(body.query_id), integer(spec), integer(len(body.bound))]
    if version >= 4:
        parts.append(integer(len(body.routing)))
        parts += map(short, body.routing)
    columns, results_spec = _columns(body.outputs)
    if not body.outputs:
        results_spec = _NO_METADATA
    parts += [markers, integer(results_spec), integer(len(body.outputs)), columns]
    return b"".join(parts)


def _schema_changed(body: SchemaChanged, _: int) -> bytes:
    change = body.change
    return _SCHEMA_CHANGE + _strings(change.what, change.target, change.keyspace, change.table)


def _event(body: Event, _: int) -> bytes:
    fields = dict(body.fields)
    if "address" in fields:
        host, port = fields["address"].rsplit(":", 1)
        return string(body.what) + string(fields["change_type"]) + inet(host, int(port))
    names = fields["change_type"], fields["target_type"], fields["keyspace"]
    return string(body.what) + _strings(*names, fields.get("table", ""))


def _strings(what: str, target: str, keyspace: str, table: str) -> bytes:
    parts = [what, target, keyspace] + ([table] if target != "KEYSPACE" else [])
    return b"".join(map(string, parts))


def _failure(body: Failure, version: int) -> bytes:
    code = body.code if version >= 4 else _BEFORE_V4.get(body.code, body.code)
    head = integer(code) + string(body.message)
    return head + b"".join(write(body.fields[name]) for name, write in _DETAILS.get(code, ()))


def _byte(flag: Any) -> bytes:
    return b"\1" if flag else b"\0"


_Details = Sequence[tuple[str, Callable[[Any], bytes]]]
_COUNTS: _Details = (
    ("consistency", short),
    ("received_responses", integer),
    ("required_responses", integer),
)
_DETAILS: dict[int, _Details] = {
    errors.UNAVAILABLE: (
        ("consistency", short),
        ("required_replicas", integer),
        ("alive_replicas", integer),
    ),
    errors.WRITE_TIMEOUT: (*_COUNTS, ("write_type", string)),
    errors.READ_TIMEOUT: (*_COUNTS, ("data_retrieved", _byte)),
    errors.WRITE_FAILURE: (*_COUNTS, ("failures", integer), ("write_type", string)),
    errors.READ_FAILURE: (*_COUNTS, ("failures", integer), ("data_retrieved", _byte)),
    errors.ALREADY_EXISTS: (("keyspace", string), ("table", string)),
    errors.UNPREPARED: (("query_id", short_bytes),),
}


def _supported(body: Supported, _: int) -> bytes:
    return string_multimap(body.options)


_BODIES: dict[str, Callable[[Any, int], bytes]] = {
    "Event": _event,
    "Failure": _failure,
    "Prepared": _prepared,
    "Ready": lambda *_: b"",
    "SchemaChanged": _schema_changed,
    "SetKeyspace": lambda body, _: _SET_KEYSPACE + string(body.keyspace),
    "Supported": _supported,
    "Void": lambda *_: _VOID,
}
