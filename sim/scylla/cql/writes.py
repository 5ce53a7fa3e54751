"""Plans of INSERT, UPDATE and DELETE: bound values in, a mutation of each partition out.

**Faithful**: INSERT sets the row marker, UPDATE does not; null writes a tombstone, an unset value
nothing; DELETE of a clustering prefix or range is a range tombstone. With IN on the partition key
several partitions are written, each on its own, with IN on a clustering column several rows.
"""

import marshal
from typing import Any

from sim.scylla.cql.binding import BIGINT, Bound, Markers, Parameters, Source, check_count
from sim.scylla.cql.statements import Delete, Insert, Relation, Term, Update
from sim.scylla.cql.where import Where, check_key
from sim.scylla.errors import Invalid
from sim.scylla.storage import EVERYTHING, NEVER, Cell
from sim.scylla.storage import Update as Change
from sim.scylla.table import Table, token


class Mutation:
    """What a write does to one partition; replicas share the object and never change it."""

    __slots__ = ("_packed", "key", "table", "token", "update")

    def __init__(self, table: Table, key: bytes, at: int, update: Change) -> None:
        self.table = table
        self.key = key
        self.token = at
        self.update = update
        self._packed: bytes | None = None

    def __deepcopy__(self, _: object) -> "Mutation":
        return self

    def packed(self) -> bytes:
        """Return the content as bytes."""
        if self._packed is None:
            self._packed = marshal.dumps((self.table.id, self.key, self.update), 2)
        return self._packed


class WritePlan:
    """A compiled INSERT, UPDATE or DELETE."""

    __slots__ = (
        "_cells",
        "_columns",
        "_marks",
        "_timestamp",
        "_where",
        "bound",
        "prepared",
        "routing",
        "table",
    )

    def __init__(self, table: Table, statement: Insert | Update | Delete) -> None:
        self.table = table
        markers = Markers(table, statement.markers)
        cells: list[tuple[int, Source]] = []
        self._columns: list[int] = []
        self._marks = isinstance(statement, Insert)
        # The text's order decides the markers' numbers, but a marker carries its own number.
        self._timestamp = _timestamp(statement.timestamp, markers)
        match statement:
            case Insert():
                where = self._inserted(statement, cells, markers)
            case Update():
                self._assign(statement.assignments, cells, markers)
                where = Where(table, statement.where, markers)
            case _:
                for name in statement.columns:
                    self._columns.append(_regular(table, name, "DELETE"))
                where = Where(table, statement.where, markers)
        self._cells = cells
        self._where = where
        self._check(statement)
        self.bound: tuple[Bound, ...] = markers.told()
        self.prepared: dict[str | None, Any] = {}  # keyspace in use -> the answer to PREPARE
        self.routing = markers.routing(where.routing())

    def _inserted(
        self, statement: Insert, cells: list[tuple[int, Source]], markers: Markers
    ) -> Where:
        keys: list[Relation] = []
        rest: list[tuple[str, Term]] = []
        for name, term in zip(statement.columns, statement.values, strict=True):
            column = self.table.by_name.get(name)
            if column is None:
                raise Invalid(f"Unknown identifier {name}")
            if column.kind == "regular":
                rest.append((name, term))
            else:
                keys.append(Relation(name, "=", term))
        self._assign(tuple(rest), cells, markers)
        return Where(self.table, tuple(keys), markers)

    def _assign(
        self,
        pairs: tuple[tuple[str, Term], ...],
        cells: list[tuple[int, Source]],
        markers: Markers,
    ) -> None:
        for name, term in pairs:
            index = _regular(self.table, name, "SET")
            if any(index == other for other, _ in cells):
                raise Invalid(f"Multiple assignments of column {name}")
            cells.append((index, markers.source(term, self.table.by_name[name])))
        cells.sort(key=lambda pair: pair[0])

    def _check(self, statement: Insert | Update | Delete) -> None:
        table, where = self.table, self._where
        if not where.whole_partition:
            given = {choice.sources[0].column for choice in where.partition if choice.sources}
            missing = [column.name for column in table.partition if column.name not in given]
            raise Invalid(f"Some partition key parts are missing: {', '.join(missing)}")
        rows_whole = len(where.clustering) == len(table.clustering)
        if not rows_whole and (self._cells or self._columns or self._marks):
            missing = [column.name for column in table.clustering[len(where.clustering) :]]
            raise Invalid(f"Some clustering keys are missing: {', '.join(missing)}")
        if where.ranges and not isinstance(statement, Delete):
            raise Invalid(f"Invalid operator in where clause: {where.ranges[0].operator}")

    def mutations(self, parameters: Parameters, timestamp: int) -> list[Mutation]:
        """Return what the statement does with `parameters`, at `timestamp` (microseconds)."""
        table, keys = self.table, self._where.keys(parameters)
        if not self._marks and not self._cells and not self._columns:
            update = self._removal(parameters, timestamp)
        else:
            marker = timestamp if self._marks else NEVER
            cells = self._written(parameters, timestamp)
            rows = self._where.rows(parameters) if cells or self._marks else []
            update = (NEVER, (), tuple([(row, marker, NEVER, cells) for row in rows]))
        for row, *_ in update[2]:
            check_key(row)
        return [Mutation(table, key, token(key), update) for key in keys]

    def timestamp(self, parameters: Parameters, otherwise: int) -> int:
        """Return the write's timestamp: USING TIMESTAMP's, or the request's. Ask this first."""
        check_count(parameters, len(self.bound))
        if self._timestamp is None:
            return otherwise
        value = self._timestamp.value(parameters)
        if value is None:
            raise Invalid("Invalid null value of timestamp")
        return otherwise if isinstance(value, int) else int.from_bytes(value, "big", signed=True)

    def _written(self, parameters: Parameters, timestamp: int) -> tuple[tuple[int, Cell], ...]:
        cells: list[tuple[int, Cell]] = [
            (index, (timestamp, 1, b"")) for index in sorted(self._columns)
        ]
        for index, source in self._cells:
            value = source.value(parameters)
            if value is None:
                cells.append((index, (timestamp, 1, b"")))
            elif type(value) is bytes:
                cells.append((index, (timestamp, 0, value)))
        return tuple(cells)

    def _removal(self, parameters: Parameters, timestamp: int) -> Change:
        intervals = self._where.intervals(parameters)
        if intervals == (EVERYTHING,):
            if self.table.clustering:
                return timestamp, (), ()
            return NEVER, (), (((), NEVER, timestamp, ()),)
        if not self._where.ranges and len(self._where.clustering) == len(self.table.clustering):
            return NEVER, (), tuple([(low, NEVER, timestamp, ()) for (low, _), _ in intervals])
        return NEVER, tuple([(interval, timestamp) for interval in intervals]), ()


def _timestamp(term: Term | None, markers: Markers) -> Source | None:
    return None if term is None else markers.typed(term, "[timestamp]", BIGINT)


def _regular(table: Table, name: str, where: str) -> int:
    column = table.by_name.get(name)
    if column is None:
        raise Invalid(f"Unknown identifier {name}")
    if column.kind != "regular":
        raise Invalid(f"PRIMARY KEY part {name} found in {where} part")
    return column.index
