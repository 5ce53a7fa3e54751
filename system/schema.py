"""The database's tables as statements, read from ``schema.cql``; what a database has of them."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

KEYSPACE = "wavetank"
REPLICATION = 3
SOURCE = Path(__file__).with_name("schema.cql")


def statements(text: str) -> tuple[str, ...]:
    """Split CQL into statements; comments are lines of their own.

    >>> statements("-- why\\nCREATE TABLE a (b int);\\n\\nCREATE TABLE c (d int);")
    ('CREATE TABLE a (b int)', 'CREATE TABLE c (d int)')
    """
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return tuple(part.strip() for part in "\n".join(lines).split(";") if part.strip())


def load(keyspace: str = KEYSPACE, replication: int = REPLICATION) -> tuple[str, ...]:
    """Return the statements that create the keyspace and its tables, in order."""
    text = SOURCE.read_text(encoding="utf-8").replace(KEYSPACE, keyspace)
    factor = "'replication_factor': {}"
    return statements(text.replace(factor.format(REPLICATION), factor.format(replication)))


class Column(NamedTuple):
    """A column as `system_schema.columns` describes it."""

    table: str
    name: str
    type: str
    kind: str  # partition_key, clustering or regular
    position: int  # within the key of its kind; -1 if it is in none
    order: str  # asc, desc or none


_TABLE = re.compile(
    r"CREATE TABLE IF NOT EXISTS \w+\.(?P<name>\w+) \((?P<columns>.*)"
    r"PRIMARY KEY \((?:\((?P<several>[^)]*)\)|(?P<one>\w+))(?P<clustering>[^)]*)\)"
    r"\s*\)(?P<options>.*)",
    re.DOTALL,
)
_COLUMN = re.compile(r"^\s*(\w+) (\w+),?$", re.MULTILINE)


def expected() -> set[Column]:
    """Return every column of our schema."""
    tables = filter(None, map(_TABLE.search, load()))
    return {column for table in tables for column in _columns(table)}


def found(query: Callable[[str], Iterable[tuple[Any, ...]]], keyspace: str) -> set[Column]:
    """Return every column that the keyspace has; none if it does not exist."""
    rows = query(
        "SELECT table_name, column_name, type, kind, position, clustering_order"
        f" FROM system_schema.columns WHERE keyspace_name = '{keyspace}'"
    )
    return {Column(*row) for row in rows}


def differing(there: set[Column]) -> list[str]:
    """Return the tables that are there and are not ours; a missing table is none of them."""
    ours = expected()
    names = {column.table for column in there}
    return sorted({c.table for c in there ^ ours if c.table in names})


def _columns(table: re.Match[str]) -> list[Column]:
    partition = re.findall(r"\w+", table["several"] or table["one"])
    clustering = re.findall(r"\w+", table["clustering"])
    descending = re.findall(r"(\w+) DESC", table["options"])
    return [
        Column(table["name"], name, kind, *_key(name, partition, clustering, descending))
        for name, kind in _COLUMN.findall(table["columns"])
    ]


def _key(
    name: str, partition: list[str], clustering: list[str], descending: list[str]
) -> tuple[str, int, str]:
    if name in partition:
        return "partition_key", partition.index(name), "none"
    if name in clustering:
        return "clustering", clustering.index(name), "desc" if name in descending else "asc"
    return "regular", -1, "none"
