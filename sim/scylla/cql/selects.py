"""Plans of SELECT: bound values in, what to read out; and rows of a result from what was read."""

from collections.abc import Callable
from typing import Any, NamedTuple

from sim.scylla.cql.binding import BIGINT, INT, Bound, Markers, Parameters, check_count
from sim.scylla.cql.statements import Select, Selector
from sim.scylla.cql.types import CqlType
from sim.scylla.cql.where import Where
from sim.scylla.errors import Invalid
from sim.scylla.storage import Interval, RowUpdate
from sim.scylla.table import Table

UNLIMITED = 2**31 - 1

Cells = tuple[bytes | None, ...]  # one row of a result


class Query(NamedTuple):
    """What to read: rows of `intervals` in partitions `keys` (None: all, or those of `tokens`)."""

    keys: tuple[bytes, ...] | None
    intervals: tuple[Interval, ...]
    backwards: bool
    limit: int
    tokens: tuple[int, int] | None = None  # lowest, highest


class Output(NamedTuple):
    """One column of a result."""

    keyspace: str
    table: str
    name: str
    type: CqlType


class SelectPlan:
    """A compiled SELECT."""

    __slots__ = (
        "_backwards",
        "_limit",
        "_pick",
        "_where",
        "bound",
        "counting",
        "outputs",
        "prepared",
        "routing",
        "table",
    )

    def __init__(self, table: Table, statement: Select) -> None:
        self.table = table
        markers = Markers(table, statement.markers)
        self._where = Where(table, statement.where, markers)
        self._limit = (
            None if statement.limit is None else markers.typed(statement.limit, "[limit]", INT)
        )
        self._backwards = self._direction(statement)
        selectors = statement.selectors or tuple(
            Selector("", column.name, "") for column in table.columns
        )
        self.counting = any(selector.function == "count" for selector in selectors)
        if self.counting and len(selectors) > 1:
            raise Invalid("not modelled yet: count() beside other selectors")
        picked = [_output(table, selector) for selector in selectors]
        self.outputs = tuple(output for output, _ in picked)
        self._pick = [pick for _, pick in picked]
        self.bound: tuple[Bound, ...] = markers.told()
        self.prepared: dict[str | None, Any] = {}  # keyspace in use -> the answer to PREPARE
        self.routing = markers.routing(self._where.routing())

    def _direction(self, statement: Select) -> bool:
        if not statement.ordering:
            return False
        if not self._where.whole_partition:
            raise Invalid(
                "ORDER BY is only supported when the partition key is restricted by an EQ or an IN."
            )
        turned = set()
        for place, (name, descending) in enumerate(statement.ordering):
            column = self.table.by_name.get(name)
            if column is None:
                raise Invalid(f"Undefined column name {name}")
            if column.kind != "clustering" or column.position != place:
                raise Invalid(
                    "Order by currently only supports the ordering of columns following their "
                    "declared order in the PRIMARY KEY"
                )
            turned.add(descending is not column.descending)
        if len(turned) > 1:
            raise Invalid("Unsupported order by relation")
        return turned.pop()

    def query(self, parameters: Parameters) -> Query:
        """Return what to read for `parameters`."""
        check_count(parameters, len(self.bound))
        limit = UNLIMITED
        if self._limit is not None and (value := self._limit.value(parameters)) != -1:
            if not isinstance(value, bytes):
                raise Invalid("Invalid null value of limit")
            limit = int.from_bytes(value, "big", signed=True)
            if limit <= 0:
                raise Invalid("LIMIT must be strictly positive")
        where = self._where
        keys = tuple(where.keys(parameters)) if where.whole_partition else None
        if self._backwards and keys is not None and len(keys) > 1:
            raise Invalid("not modelled yet: ORDER BY with IN on the partition key")
        tokens = where.token_range(parameters)
        intervals = () if where.nothing(parameters) else where.intervals(parameters)
        return Query(keys, intervals, self._backwards, limit, tokens)

    def row(self, parts: list[bytes], row: RowUpdate) -> Cells:
        """Return one row of the result: `parts` are the columns of its partition key."""
        cells = dict(row[3])
        return tuple([pick(parts, row, cells) for pick in self._pick])

    def counted(self, rows: int) -> Cells:
        """Return the one row of a ``count(*)``."""
        return (rows.to_bytes(8, "big"),)


_Row = dict[int, tuple[int, int, bytes]]
_Pick = Callable[[list[bytes], RowUpdate, _Row], bytes | None]


def _output(table: Table, selector: Selector) -> tuple[Output, _Pick]:
    function, name = selector.function, selector.column
    if function == "count":
        if name not in {"*", "1"}:
            raise Invalid(f"not modelled yet: count({name})")
        shown = selector.alias or "count"
        return Output(table.keyspace, table.name, shown, BIGINT), lambda *_: None
    column = table.by_name.get(name)
    if function not in {"", "writetime", "ttl"}:
        raise Invalid(f"not modelled yet: function {function}()")
    if column is None:
        raise Invalid(f"Undefined column name {name}")
    if not function:
        shown = selector.alias or name
        return Output(table.keyspace, table.name, shown, column.type), _picker(table, name)
    if column.kind != "regular":
        raise Invalid(f"Cannot use selection function {function} on PRIMARY KEY part {name}")
    shown = selector.alias or f"{function}({name})"
    if function == "ttl":
        return Output(table.keyspace, table.name, shown, INT), lambda *_: None
    index = column.index

    def written(_: list[bytes], __: RowUpdate, cells: _Row) -> bytes | None:
        cell = cells.get(index)
        return None if cell is None or cell[1] else cell[0].to_bytes(8, "big", signed=True)

    return Output(table.keyspace, table.name, shown, BIGINT), written


def _picker(table: Table, name: str) -> _Pick:
    column = table.by_name[name]
    place = column.position
    if column.kind == "partition_key":
        return lambda parts, _row, _cells: parts[place]
    if column.kind == "clustering":
        return lambda _parts, row, _cells: row[0][place]
    index = column.index

    def value(_: list[bytes], __: RowUpdate, cells: _Row) -> bytes | None:
        cell = cells.get(index)
        return None if cell is None or cell[1] else cell[2]

    return value
