"""A stand-in for the database in tests: the ledger's tables in memory, behind the same methods.

It knows exactly the statements that the programs prepare. `fails` decides, per statement, whether
it is answered; an unanswered write may or may not have taken effect.
"""

from collections.abc import Callable, Sequence
from typing import Any

from cassandra import OperationTimedOut

from system.database import UNSET, Database, Row
from system.gateway import reads
from system.settlement import ledger

Applied = bool


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
    """All three tables."""

    def __init__(self) -> None:
        super().__init__(None, None, "test")
        self.ledger: dict[tuple[int, int], dict[int, Row]] = {}
        self.requests: dict[tuple[int, str], dict[str, dict[str, Any]]] = {}
        self.assets: dict[int, set[int]] = {}
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
                raise AssertionError(statement)
        return []

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
