"""A stand-in for the database in tests: the ledger's tables in memory, behind the same methods.

It knows exactly the statements that the programs prepare. `fails` decides, per statement, whether
it is answered; an unanswered write may or may not have taken effect.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from cassandra import OperationTimedOut

from system.database import UNSET, Database, Row
from system.gateway import reads
from system.settlement import ledger, outputs

Applied = bool
Cell = tuple[int, object]  # write timestamp, value

_FROM_OUTPUTS = (
    outputs.INSERT_LOG,
    outputs.INSERT_BUCKET,
    outputs.INSERT_TRADE,
    outputs.INSERT_SIDE,
    outputs.INSERT_ORDER,
)
_LOG_READS = (outputs.NEWEST, outputs.STORED)
_PAGES = {
    reads.BUCKETS: ("symbols_buckets", "bucket", "bucket"),
    reads.TRADES: ("trades_by_symbol", "trade_number", reads.TRADE),
    reads.ORDERS: ("orders_by_user", "created_at", reads.ORDER),
    reads.ORDERS_SAME_TIME: ("orders_by_user", "order_id", reads.ORDER),
}
_INSERT = re.compile(r"INSERT INTO \{ks\}\.(\w+) \((.*)\) VALUES")


KEYS = {
    "engine_output_log": ("symbol_id", "bucket", "output_seq"),
    "symbols_buckets": ("symbol_id", "bucket"),
    "trades_by_symbol": ("symbol_id", "bucket", "trade_number"),
    "trades_by_user": ("user_id", "symbol_id", "trade_number"),
    "orders_by_user": ("user_id", "created_at", "order_id"),
}


class Answer:
    """A statement's answer, there at once."""

    def __init__(self, rows: list[Row] | Exception) -> None:
        self.rows = rows

    def result(self) -> list[Row]:
        if isinstance(self.rows, Exception):
            raise self.rows
        return self.rows

    def add_callbacks(
        self, callback: Callable[[list[Row]], object], errback: Callable[[Exception], object]
    ) -> None:
        if isinstance(self.rows, Exception):
            errback(self.rows)
        else:
            callback(self.rows)


class Tables(Database):
    """All tables; those of `engine.outputs` as cells with timestamps, the newest of which stays."""

    def __init__(self) -> None:
        super().__init__(None, None, "test")
        self.ledger: dict[tuple[int, int], dict[int, Row]] = {}
        self.requests: dict[tuple[int, str], dict[str, dict[str, Any]]] = {}
        self.assets: dict[int, set[int]] = {}
        self.cells: dict[str, dict[tuple[object, ...], dict[str, Cell]]] = {}
        self.sent: list[tuple[str, tuple[object, ...]]] = []
        self.fails: Callable[[str], Applied | None] = lambda _: None
        self.closed = False

    def prepare(self, cql: str, consistency: int) -> Any:
        assert consistency == 4, "everything is read and written at QUORUM"
        return cql

    def send(self, statement: Any, values: Sequence[object]) -> Answer:
        self.sent.append((statement, tuple(values)))
        failure = self.fails(statement)
        if failure is None:
            return Answer(self._carry_out(statement, tuple(values)))
        if failure:
            self._carry_out(statement, tuple(values))
        return Answer(OperationTimedOut())

    def close(self) -> None:
        self.closed = True

    def _carry_out(self, statement: str, values: tuple[Any, ...]) -> list[Row]:
        match statement:
            case ledger.INSERT_ROW:
                self.ledger.setdefault(values[:2], {})[values[2]] = values[2:]
            case ledger.INSERT_ASSET:
                self.assets.setdefault(values[0], set()).add(values[1])
            case ledger.INSERT_REQUEST:
                self._request(values)
            case ledger.NEWEST:
                return self._page(values, 2**63, 1)
            case ledger.STORED:
                row = self.ledger.get(values[:2], {}).get(values[2])
                return [row] if row else []
            case reads.PAGE:
                return self._page(values[:2], values[2], values[3])
            case reads.USER_ASSETS:
                return [(asset,) for asset in sorted(self.assets.get(values[0], set()))]
            case reads.REQUEST:
                return self._answers(values)
            case _:
                return self._of_outputs(statement, values)
        return []

    def _of_outputs(self, statement: str, values: tuple[Any, ...]) -> list[Row]:
        if statement in _PAGES:
            return self._of_page(statement, values)
        rows = self.rows("engine_output_log", values) if statement in _LOG_READS else []
        if statement == outputs.NEWEST:
            return [(max(row["output_seq"] for row in rows),)] if rows else []
        if statement == outputs.STORED:
            return [tuple(row[name] for name in outputs.LOG) for row in rows]
        assert statement in _FROM_OUTPUTS, statement
        self._write(statement, values)
        return []

    def _of_page(self, statement: str, values: tuple[Any, ...]) -> list[Row]:
        """Read newest first below a value, as the clustering order has it."""
        table, column, columns = _PAGES[statement]
        *prefix, below, limit = values
        found = [
            row
            for row in reversed(self.rows(table, tuple(prefix)))
            if row[column] < below or (row[column] == below and "<= ?" in statement)
        ]
        return [tuple(row.get(name) for name in columns.split(", ")) for row in found[:limit]]

    def rows(self, table: str, key: tuple[object, ...] = ()) -> list[dict[str, Any]]:
        """Return the rows of a table whose key begins with `key`, in the order of their keys."""
        found = self.cells.get(table, {})
        return [
            {name: value for name, (_, value) in found[place].items()}
            for place in sorted(found)
            if place[: len(key)] == key
        ]

    def _write(self, statement: str, values: tuple[Any, ...]) -> None:
        match = _INSERT.match(statement)
        assert match is not None
        names, written_at = match[2].split(", "), values[-1]
        given = dict(zip(names, values[:-1], strict=True))
        key = tuple(given[name] for name in KEYS[match[1]])
        row = self.cells.setdefault(match[1], {}).setdefault(key, {})
        for name, value in given.items():
            assert value is not None, "null would write a tombstone"
            if value is not UNSET and row.get(name, (0, None))[0] <= written_at:
                row[name] = written_at, value

    def _page(self, key: tuple[Any, ...], below: int, limit: int) -> list[Row]:
        rows = self.ledger.get((key[0], key[1]), {})
        return [rows[seq] for seq in sorted(rows, reverse=True) if seq < below][:limit]

    def _request(self, values: tuple[Any, ...]) -> None:
        row = self.requests.setdefault(values[:2], {}).setdefault(values[2], {})
        names = ("decision", "reason", "effects", "outcome", "expired")
        for name, value in zip(names, values[3:], strict=True):
            if value is UNSET:
                continue
            assert row.get(name, value) == value, f"{name} is written once"
            row[name] = value

    def _answers(self, key: tuple[Any, ...]) -> list[Row]:
        names = ("decision", "reason", "effects", "outcome", "expired")
        return [
            (body_hash, *(row.get(name) for name in names))
            for body_hash, row in sorted(self.requests.get((key[0], key[1]), {}).items())
        ]
