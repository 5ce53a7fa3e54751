"""Steps of a case: one request each, as plain data that transcripts can hold."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, NamedTuple, Self

from cassandra.query import UNSET_VALUE

KEYSPACE = "conformance"
REPLICATION = "{'class': 'NetworkTopologyStrategy', 'datacenter1': %d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A statement; with `values` it is prepared and bound, by place or by name.

    With `parts`, each a statement and its values or none, it is a batch, and `cql` is its kind.
    What is in `between` is said after the first page, after the second, and so on.

    `raw` puts the values' bytes into the request as they are, which the driver would refuse.
    """

    cql: str
    values: list[Any] | dict[str, Any] | None = None
    raw: list[str | None] | None = None
    parts: list[list[Any]] | None = None
    level: str = "ONE"
    page: int | None = None
    between: list[str] | None = None

    @property
    def shown(self) -> str:
        """The statement and its level."""
        return f"{self.cql} [{self.level}]"

    def packed(self) -> dict[str, Any]:
        """Return it as JSON can hold it, without what is as always."""
        fields = {name: value for name, value in asdict(self).items() if value is not None}
        if fields["level"] == "ONE":
            del fields["level"]
        if isinstance(self.values, dict):
            fields["values"] = {name: _packed(value) for name, value in self.values.items()}
        elif self.values is not None:
            fields["values"] = _all(_packed, self.values)
        if self.parts is not None:
            fields["parts"] = [
                [cql, values and _all(_packed, values)] for cql, values in self.parts
            ]
        return fields

    @classmethod
    def unpacked(cls, fields: dict[str, Any]) -> Self:
        """Read what `packed` returned."""
        values = fields.get("values")
        if isinstance(values, dict):
            values = {name: _unpacked(value) for name, value in values.items()}
        elif values is not None:
            values = _all(_unpacked, values)
        parts = fields.get("parts")
        if parts is not None:
            parts = [[cql, inner and _all(_unpacked, inner)] for cql, inner in parts]
        return cls(**fields | {"values": values, "parts": parts})


class Case(NamedTuple):
    """Steps in one or more tables of their own."""

    name: str
    steps: list[Step]


def case(name: str, *steps: Step | str, table: str = "") -> Case:
    """Make a case; ``{t}`` is its table, made first if `table` says what comes after its name."""
    made = [f"CREATE TABLE {{t}} {table}"] if table else []
    whole = [Step(cql=step) if isinstance(step, str) else step for step in [*made, *steps]]
    return Case(name, [_placed(step, f"{KEYSPACE}.{name}") for step in whole])


def bound(cql: str, *values: Any, **more: Any) -> Step:
    """Return a prepared statement with values."""
    return Step(cql=cql, values=list(values), **more)


def batch(kind: str, *parts: str | tuple[Any, ...]) -> Step:
    """Return a batch of the protocol, of statements alone or with their values."""
    split = [(part,) if isinstance(part, str) else part for part in parts]
    return Step(cql=kind, parts=[[cql, list(values) or None] for cql, *values in split])


def _placed(step: Step, table: str) -> Step:
    fields = asdict(step) | {"values": step.values}
    if step.parts is not None:
        fields["parts"] = [[cql.replace("{t}", table), values] for cql, values in step.parts]
    if step.between is not None:
        fields["between"] = [cql.replace("{t}", table) for cql in step.between]
    return Step(**fields | {"cql": step.cql.replace("{t}", table)})


class Many(str):
    """A long text of one character, which a transcript holds as that and its length."""

    __slots__ = ()


def many(character: str, count: int) -> Many:
    """Return a long text.

    >>> many("x", 3)
    'xxx'
    """
    return Many(character * count)


_KINDS: dict[str, tuple[type, Any, Any]] = {
    "bytes": (bytes, bytes.hex, bytes.fromhex),
    "uuid": (uuid.UUID, str, uuid.UUID),
    "decimal": (Decimal, str, Decimal),
    "time": (dt.datetime, dt.datetime.isoformat, dt.datetime.fromisoformat),
    "set": (set, sorted, set),
    "many": (Many, lambda text: [text[:1], len(text)], lambda packed: many(*packed)),
    "map": (dict, lambda pairs: [list(pair) for pair in pairs.items()], dict),
}


def _all(act: Callable[[Any], Any], values: Iterable[Any]) -> list[Any]:
    return [act(value) for value in values]


def _packed(value: Any) -> Any:
    if value is UNSET_VALUE:
        return {"unset": True}
    for name, (kind, pack, _) in _KINDS.items():
        if isinstance(value, kind):
            return {name: pack(value)}
    return value


def _unpacked(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((name, content),) = value.items()
    return UNSET_VALUE if name == "unset" else _KINDS[name][2](content)
