"""CQL statements as values, as the parser leaves them: names not yet looked up in a schema."""

from dataclasses import dataclass
from typing import Literal as OneOf


@dataclass(frozen=True, slots=True)
class Name:
    """A table's name with its keyspace, if the text had one."""

    keyspace: str | None
    table: str


@dataclass(frozen=True, slots=True)
class Marker:
    """A bind marker: the n-th of the statement; `name` is empty for ``?``."""

    index: int
    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal of one of CQL's kinds; `text` is without quotes."""

    kind: OneOf["integer", "float", "string", "uuid", "blob", "boolean", "null"]
    text: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list or set literal."""

    kind: OneOf["list", "set"]
    items: tuple["Term", ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """A map literal."""

    items: tuple[tuple["Term", "Term"], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function call."""

    function: str
    argument: str


Term = Marker | Constant | Sequence | Mapping | Call


@dataclass(frozen=True, slots=True)
class TypeName:
    """A CQL type as written: ``frozen<list<text>>``."""

    name: str
    parameters: tuple["TypeName", ...] = ()

    def __str__(self) -> str:
        inner = ", ".join(map(str, self.parameters))
        return f"{self.name}<{inner}>" if inner else self.name


@dataclass(frozen=True, slots=True)
class Relation:
    """One condition of a WHERE clause; for IN, `value` is a tuple of terms or a marker.

    A condition on ``token(a, b)`` has no `column`, but those columns in `token_of`.
    """

    column: str
    operator: str  # = < <= > >= IN
    value: Term | tuple[Term, ...]
    token_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Selector:
    """One column of a result: a column, or a function of one (``*`` for ``count(*)``)."""

    function: str
    column: str
    alias: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What all statements have: how many markers, and what was asked that is not modelled."""

    markers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Use(Statement):
    """``USE keyspace``."""

    keyspace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateKeyspace(Statement):
    """``CREATE KEYSPACE``."""

    name: str
    if_not_exists: bool
    properties: tuple[tuple[str, Term], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTable(Statement):
    """``CREATE TABLE``."""

    name: Name
    if_not_exists: bool
    columns: tuple[tuple[str, TypeName], ...]
    partition_key: tuple[str, ...]
    clustering_key: tuple[str, ...]
    ordering: tuple[tuple[str, bool], ...]  # column, descending
    properties: tuple[tuple[str, Term], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DropKeyspace(Statement):
    """``DROP KEYSPACE``."""

    name: str
    if_exists: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DropTable(Statement):
    """``DROP TABLE``."""

    name: Name
    if_exists: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncate(Statement):
    """``TRUNCATE``."""

    table: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class Insert(Statement):
    """``INSERT``: sets cells and the row marker."""

    table: Name
    columns: tuple[str, ...]
    values: tuple[Term, ...]
    timestamp: Term | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(Statement):
    """``UPDATE``: sets cells, not the row marker."""

    table: Name
    assignments: tuple[tuple[str, Term], ...]
    where: tuple[Relation, ...]
    timestamp: Term | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(Statement):
    """``DELETE``: tombstones for cells, rows, ranges of rows or a partition."""

    table: Name
    columns: tuple[str, ...]
    where: tuple[Relation, ...]
    timestamp: Term | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(Statement):
    """``BEGIN BATCH``: each of `parts` numbers its own markers, after those of `timestamp`."""

    kind: OneOf["LOGGED", "UNLOGGED", "COUNTER"]
    parts: tuple[Insert | Update | Delete, ...]
    timestamp: Term | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Select(Statement):
    """``SELECT``; no selectors mean ``*``."""

    table: Name
    selectors: tuple[Selector, ...]
    where: tuple[Relation, ...]
    ordering: tuple[tuple[str, bool], ...]
    limit: Term | None
