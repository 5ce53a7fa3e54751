"""WHERE clauses: from relations to partition keys and intervals of rows.

**Faithful**: the partition key must be given whole, by ``=`` or IN; clustering columns by ``=`` or
IN from the first on, the last restricted one also by a range; instead of all that a range of
``token()`` of the whole partition key; anything else would need filtering.
**Simplified**: at most 100 combinations of IN values, as in Scylla's default configuration; rows
of an IN over partitions come in the order of the keys' values.
"""

from itertools import product
from typing import Any, NamedTuple

from sim.scylla.cql.binding import BIGINT, Markers, Parameters, Source, list_items
from sim.scylla.cql.statements import Marker, Relation
from sim.scylla.cql.types import named
from sim.scylla.errors import Invalid
from sim.scylla.storage import EVERYTHING, Bound, Interval
from sim.scylla.table import MAX_TOKEN, MIN_TOKEN, Column, Key, Table

_COMBINATIONS = 100
_KEY_BYTES = 65_535
_FILTERING = (
    "Cannot execute this query as it might involve data filtering and thus may have "
    "unpredictable performance. If you want to execute this query despite the performance "
    "unpredictability, use ALLOW FILTERING"
)


class Choice(NamedTuple):
    """The values a key column may have: one source for ``=``, several for IN."""

    sources: tuple[Source, ...]
    listed: Source | None  # IN ?

    def values(self, parameters: Parameters) -> list[bytes]:
        """Return the values, each once, in the order of their type."""
        if self.listed is not None:
            found = list_items(self.listed.given(parameters))
        elif len(self.sources) == 1:
            return [self.sources[0].given(parameters)]
        elif not self.sources:  # IN ()
            return []
        else:
            found = [source.given(parameters) for source in self.sources]
        order = (self.listed or self.sources[0]).type
        key = order.parameters[0].order_key if self.listed is not None else order.order_key
        return sorted(dict.fromkeys(found), key=key)


class Range(NamedTuple):
    """A range on one clustering column."""

    operator: str
    source: Source


class Where:
    """A compiled WHERE clause."""

    __slots__ = ("_columns", "clustering", "partition", "ranges", "table", "tokens")

    def __init__(self, table: Table, relations: tuple[Relation, ...], markers: Markers) -> None:
        self.table = table
        self.tokens: list[Range] = []  # on the token of the partition key
        self._columns: dict[str, list[Relation]] = {}
        for relation in relations:
            if relation.token_of:
                continue
            if relation.column not in table.by_name:
                raise Invalid(f"Undefined column name {relation.column}")
            self._columns.setdefault(relation.column, []).append(relation)
        choices: dict[str, Choice] = {}
        ranges: dict[str, list[Range]] = {}
        for relation in relations:  # in the order of the text, as markers are numbered
            if relation.token_of:
                self.tokens.append(self._token(relation, markers))
                continue
            column = table.by_name[relation.column]
            if relation.operator in {"=", "IN"}:
                choices[column.name] = _choice(relation, column, markers)
            else:
                source = markers.source(relation.value, column)  # type: ignore[arg-type]
                ranges.setdefault(column.name, []).append(Range(relation.operator, source))
        self._check(choices, ranges)
        self.partition = [
            choices[column.name] for column in table.partition if column.name in choices
        ]
        self.clustering = [
            choices[column.name] for column in table.clustering if column.name in choices
        ]
        self.ranges = next(iter(ranges.values()), [])

    def _token(self, relation: Relation, markers: Markers) -> Range:
        names = [column.name for column in self.table.partition]
        if list(relation.token_of) != names:
            raise Invalid(
                "The token function arguments must be in the partition key order: "
                + ", ".join(names)
            )
        term: Any = relation.value
        return Range(relation.operator, markers.typed(term, "partition key token", BIGINT))

    def token_range(self, parameters: Parameters) -> tuple[int, int] | None:
        """Return the lowest and the highest token that are asked for; None for all."""
        if not self.tokens:
            return None
        low, high = MIN_TOKEN, MAX_TOKEN
        for operator, source in self.tokens:
            at = int.from_bytes(source.given(parameters), "big", signed=True)
            if operator[0] != "<":
                low = max(low, at + (operator == ">"))
            if operator[0] != ">":
                high = min(high, at - (operator == "<"))
        return low, high

    def _check(self, choices: dict[str, Choice], ranges: dict[str, list[Range]]) -> None:
        for name, relations in self._columns.items():
            if name in choices and len(relations) > 1:
                raise Invalid(f"{name} cannot be restricted by more than one relation")
            kinds = [relation.operator[0] for relation in relations]
            if len(set(kinds)) != len(kinds):
                raise Invalid(f"More than one restriction was found for one bound on {name}")
        missing = [column.name for column in self.table.partition if column.name not in choices]
        if any(column.name in ranges for column in self.table.partition):
            raise Invalid(
                "Only EQ and IN relation are supported on the partition key "
                "(unless you use the token() function)"
            )
        if self.tokens and len(missing) < len(self.table.partition):
            raise Invalid(
                "The partition key cannot be restricted by both a normal relation and a token "
                "relation"
            )
        if missing and self._columns:
            raise Invalid(_FILTERING)
        for name in self._columns:
            if self.table.by_name[name].kind == "regular":
                raise Invalid(_FILTERING)
        self._check_clustering(choices, ranges)

    def _check_clustering(self, choices: dict[str, Choice], ranges: dict[str, list[Range]]) -> None:
        before: Column | None = None
        for column in self.table.clustering:
            restricted = column.name in choices or column.name in ranges
            if restricted and before is not None:
                why = (
                    "is restricted by a non-EQ relation"
                    if before.name in ranges
                    else "is not restricted"
                )
                raise Invalid(
                    f'PRIMARY KEY column "{column.name}" cannot be restricted '
                    f'(preceding column "{before.name}" {why})'
                )
            if column.name not in choices and before is None:
                before = column

    @property
    def whole_partition(self) -> bool:
        """Whether the partition key is given."""
        return len(self.partition) == len(self.table.partition)

    def routing(self) -> list[Source] | None:
        """Return the sources of the partition key if each column has exactly one."""
        sources = [choice.sources[0] for choice in self.partition if len(choice.sources) == 1]
        return sources if len(sources) == len(self.table.partition) else None

    def keys(self, parameters: Parameters) -> list[bytes]:
        """Return the partition keys."""
        parts = [choice.values(parameters) for choice in self.partition]
        _limit(parts, "partition")
        keys = [self.table.partition_key(list(key)) for key in product(*parts)]
        for key in keys:
            if not key:
                raise Invalid("Key may not be empty")
            check_key((key,))
        return keys

    def rows(self, parameters: Parameters) -> list[Key]:
        """Return the keys of the rows, or of what is given of them, in clustering order."""
        parts = [choice.values(parameters) for choice in self.clustering]
        _limit(parts, "clustering")
        keys: list[Key] = list(product(*parts))
        return keys if len(keys) == 1 else sorted(keys, key=self.table.order)

    def nothing(self, parameters: Parameters) -> bool:
        """Whether a range ends at null: no value compares with that, so there are no rows."""
        return any(source.value(parameters) is None for _, source in self.ranges)

    def intervals(self, parameters: Parameters) -> tuple[Interval, ...]:
        """Return the intervals of rows, in clustering order."""
        if not self.clustering and not self.ranges:
            return (EVERYTHING,)
        prefixes = self.rows(parameters)
        if not self.ranges:
            return tuple(((prefix, True), (prefix, True)) for prefix in prefixes)
        column = self.table.clustering[len(self.clustering)]
        return tuple(self._range(prefix, column, parameters) for prefix in prefixes)

    def _range(self, prefix: Key, column: Column, parameters: Parameters) -> Interval:
        low: Bound = (prefix, True)
        high: Bound = (prefix, True)
        for operator, source in self.ranges:
            bound = (*prefix, source.given(parameters)), operator.endswith("=")
            if (operator[0] == ">") is not column.descending:
                low = bound
            else:
                high = bound
        return low, high


def check_key(parts: Key) -> None:
    """Refuse a key, or the clustering columns of a row, that is too long to be written."""
    for part in parts:
        if len(part) > _KEY_BYTES:
            raise Invalid(f"Key length of {len(part)} is longer than maximum of {_KEY_BYTES}")


def _choice(relation: Relation, column: Column, markers: Markers) -> Choice:
    if isinstance(relation.value, tuple):
        return Choice(tuple(markers.source(term, column) for term in relation.value), None)
    if relation.operator == "IN" and isinstance(relation.value, Marker):
        kind = named(f"list<{column.type.name}>")
        return Choice((), markers.typed(relation.value, f"in({column.name})", kind))
    return Choice((markers.source(relation.value, column),), None)


def _limit(parts: list[list[bytes]], what: str) -> None:
    count = 1
    for values in parts:
        count *= len(values)
    if count > _COMBINATIONS:
        raise Invalid(
            f"{what} key cartesian product size {count} is greater than maximum {_COMBINATIONS}"
        )
