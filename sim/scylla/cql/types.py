"""CQL types: how values are written in statements, stored as bytes and ordered.

Values stay the bytes that the client serialized; the driver's own `cassandra.cqltypes` decode
them where order or a literal needs their meaning.

**Simplified**: no counter, duration, inet, date, time, float, tuple or user-defined types; sets,
lists and maps only frozen (one cell; a collection with a cell per element merges differently).
"""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from cassandra import cqltypes

from sim.scylla.cql.statements import Constant, Mapping, Sequence, Term, TypeName
from sim.scylla.errors import Invalid, SyntaxFault

_V4 = 4  # the version of the native protocol that fixes how values look
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_INTEGERS = {"bigint": 8, "int": 4, "varint": 0, "smallint": 2, "tinyint": 1}
_PLAIN = {
    "ascii": ("string",),
    "bigint": ("integer",),
    "blob": ("blob",),
    "boolean": ("boolean",),
    "decimal": ("integer", "float"),
    "double": ("integer", "float"),
    "int": ("integer",),
    "smallint": ("integer",),
    "text": ("string",),
    "timestamp": ("integer", "string"),
    "timeuuid": ("uuid",),
    "tinyint": ("integer",),
    "uuid": ("uuid",),
    "varint": ("integer",),
}
_ALIASES = {"varchar": "text"}
_COLLECTIONS = {"list": 1, "set": 1, "map": 2}
_NOT_MODELLED = frozenset({"counter", "duration", "inet", "date", "time", "float", "tuple"})


class CqlType:
    """A type: its CQL name, the driver's class for it, and the order of its values."""

    __slots__ = ("driver", "kind", "name", "order_key", "parameters", "width")

    def __init__(self, name: str, kind: str, parameters: tuple["CqlType", ...]) -> None:
        self.name = name  # as system_schema shows it
        self.kind = kind
        self.parameters = parameters
        self.width = _INTEGERS.get(kind, 0) or _WIDTHS.get(kind, 0)  # bytes of a value; 0: any
        self.driver: Any = _driver_class(name)
        self.order_key = _order_key(kind, self.driver, parameters)

    def __deepcopy__(self, _: object) -> "CqlType":
        return self

    def check(self, value: bytes, column: str) -> None:
        """Raise `Invalid` if `value` cannot be a value of this type."""
        width = self.width
        if width and len(value) != width:
            raise Invalid(
                f"Exception while binding column {column}: marshaling error: "
                f"Validation failed for {self.name} - got {len(value)} bytes, expected {width}"
            )
        if self.kind == "timeuuid":
            _check_version(value)
        if not width:
            try:
                self.driver.deserialize(value, _V4)
            except Exception as error:
                raise Invalid(
                    f"Exception while binding column {column}: marshaling error: {error}"
                ) from error

    def encode(self, term: Term, column: str) -> bytes | None:
        """Return the bytes of a literal; None for ``null``."""
        if isinstance(term, Constant) and term.kind == "null":
            return None
        match term:
            case Constant(kind, text) if kind in _PLAIN.get(self.kind, ()):
                return self._constant(kind, text)
            case Sequence("list", items) if self.kind == "list":
                return _collection([self._inner(0, item, column) for item in items])
            case Sequence("set", ()) if self.kind == "map":
                return _collection([])
            case Sequence("set", items) if self.kind == "set":
                elements = dict.fromkeys(self._inner(0, item, column) for item in items)
                return _collection(sorted(elements, key=self.parameters[0].order_key))
            case Mapping(pairs) if self.kind == "map":
                entries = {self._inner(0, a, column): self._inner(1, b, column) for a, b in pairs}
                order = sorted(entries, key=self.parameters[0].order_key)
                return _collection([part for a in order for part in (a, entries[a])], len(order))
        what = f"{term.kind} constant" if isinstance(term, Constant) else "value"
        raise Invalid(f"Invalid {what} for {column} of type {self.name}")

    def _constant(self, kind: str, text: str) -> bytes:
        value = _CONVERT[self.kind if self.kind == "timestamp" else kind](self, text)
        try:
            encoded = bytes(self.driver.serialize(value, _V4))
        except Exception as error:
            raise Invalid(f"Unable to make {self.name} from {text}: {error}") from error
        if self.kind == "timeuuid":
            _check_version(encoded)
        return encoded

    def _inner(self, place: int, term: Term, column: str) -> bytes:
        encoded = self.parameters[place].encode(term, column)
        if encoded is None:
            raise Invalid(f"null is not supported inside collections: column {column}")
        return encoded

    def __repr__(self) -> str:
        return self.name


_WIDTHS = {"double": 8, "timestamp": 8, "uuid": 16, "timeuuid": 16, "boolean": 1}


def _timestamp(_: CqlType, text: str) -> Any:
    if text.lstrip("-").isdigit():
        return _EPOCH + timedelta(milliseconds=int(text))
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise Invalid(f"Unable to parse a date/time from '{text}'") from error


def _blob(text: str) -> bytes:
    if len(text) % 2:
        raise Invalid(f"Invalid HEX constant ({text}): it has an odd number of digits")
    return bytes.fromhex(text[2:])


def _check_version(value: bytes) -> None:
    if value[6] >> 4 != 1:
        raise Invalid("Invalid version for TimeUUID type.")


def _collection(parts: list[bytes], count: int | None = None) -> bytes:
    """Return a collection's bytes: how many elements (or pairs), then each with its size."""
    size = len(parts) if count is None else count
    return size.to_bytes(4, "big") + b"".join(len(x).to_bytes(4, "big") + x for x in parts)


def _elements(value: bytes) -> list[bytes]:
    """Return what `_collection` was given."""
    found, at = [], 4
    while at < len(value):
        size = int.from_bytes(value[at : at + 4], "big")
        found.append(value[at + 4 : at + 4 + size])
        at += 4 + size
    return found


def _number(kind: CqlType, text: str) -> Any:
    if kind.kind == "decimal":
        return Decimal(text)
    return float(text) if kind.kind == "double" else int(text)


_CONVERT: dict[str, Callable[[CqlType, str], Any]] = {
    "integer": _number,
    "float": _number,
    "string": lambda _, text: text,
    "uuid": lambda _, text: uuid.UUID(text),
    "blob": lambda _, text: _blob(text),
    "boolean": lambda _, text: text == "true",
    "timestamp": _timestamp,
}


def resolve(name: TypeName) -> CqlType:
    """Return the type called `name` in a column's definition, or refuse it."""
    base = _ALIASES.get(name.name, name.name)
    if base == "frozen" and len(name.parameters) == 1:
        inner = name.parameters[0]
        if inner.name not in _COLLECTIONS:
            raise Invalid("frozen<> is only allowed on collections, tuples, and user-defined types")
        return _type(f"frozen<{_inner_name(inner)}>")
    if base in _COLLECTIONS and _inner_name(name):
        raise Invalid(f"non-frozen collections are not modelled yet: use frozen<{name}>")
    return _type(_inner_name(name))


def _inner_name(name: TypeName) -> str:
    base = _ALIASES.get(name.name, name.name)
    if base == "frozen" and len(name.parameters) == 1:
        return f"frozen<{_inner_name(name.parameters[0])}>"
    if base in _NOT_MODELLED:
        raise Invalid(f"not modelled yet: type {base}")
    if base not in _PLAIN and base not in _COLLECTIONS:
        raise Invalid(f"Unknown type {base}")
    if len(name.parameters) != _COLLECTIONS.get(base, 0):
        raise SyntaxFault(f"wrong number of type parameters: {name}")
    if not name.parameters:
        return base
    return f"{base}<{', '.join(map(_inner_name, name.parameters))}>"


@lru_cache(maxsize=512)
def _type(name: str) -> CqlType:
    """Return the one object for a normal name (``frozen<map<text, int>>``)."""
    plain = name.removeprefix("frozen<")[:-1] if name.startswith("frozen<") else name
    base, _, inner = plain.partition("<")
    if not inner:
        return CqlType(name, base, ())
    return CqlType(name, base, tuple(map(_type, _top_level(inner[:-1]))))


def named(name: str) -> CqlType:
    """Return the type for a normal name; collections may be non-frozen (system tables)."""
    return _type(name)


def _top_level(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character == "<") - (character == ">")
        if character == "," and not depth:
            parts.append(text[start:position].strip())
            start = position + 1
    return [*parts, text[start:].strip()]


def _driver_class(name: str) -> Any:
    frozen = name.startswith("frozen<")
    plain = name[7:-1] if frozen else name
    base, _, inner = plain.partition("<")
    simple = {"text": "UTF8Type", "ascii": "AsciiType", "bigint": "LongType", "int": "Int32Type"}
    classes = {
        "blob": "BytesType",
        "boolean": "BooleanType",
        "decimal": "DecimalType",
        "double": "DoubleType",
        "inet": "InetAddressType",
        "list": "ListType",
        "map": "MapType",
        "set": "SetType",
        "smallint": "ShortType",
        "timestamp": "DateType",
        "timeuuid": "TimeUUIDType",
        "tinyint": "ByteType",
        "uuid": "UUIDType",
        "varint": "IntegerType",
        **simple,
    }
    found = getattr(cqltypes, classes[base])
    if inner:
        found = found.apply_parameters([_driver_class(part) for part in _top_level(inner[:-1])])
    return found


def _order_key(kind: str, driver: Any, parameters: tuple[CqlType, ...]) -> Callable[[bytes], Any]:
    """Return what orders serialized values as the type's comparator does."""
    if kind in _INTEGERS or kind == "timestamp":
        return _signed
    if not parameters and kind not in {"timeuuid", "uuid", "double", "decimal"}:
        return _bytes
    if kind == "timeuuid":
        return lambda value: (uuid.UUID(bytes=value).time, _signed_bytes(value[8:]))
    if kind == "uuid":
        return _uuid_key
    if kind == "double":
        # -0.0 comes before 0.0, as Double.compare has it.
        return lambda value: _signed(value) if value[0] < 128 else ~(_signed(value) & (2**63 - 1))
    if kind == "decimal":
        return lambda value: driver.deserialize(value, _V4)
    keys = [parameter.order_key for parameter in parameters]
    return lambda value: [
        keys[place % len(keys)](element) for place, element in enumerate(_elements(value))
    ]


def _signed(value: bytes) -> int:
    return int.from_bytes(value, "big", signed=True)


def _bytes(value: bytes) -> bytes:
    return value


def _signed_bytes(value: bytes) -> tuple[int, ...]:
    return tuple(byte - 256 if byte > 127 else byte for byte in value)


def _uuid_key(value: bytes) -> tuple[int, int, bytes]:
    """Order by version, time-based ones by their time, then by bytes (Scylla's uuid_type)."""
    version = value[6] >> 4
    return version, uuid.UUID(bytes=value).time if version == 1 else 0, value
