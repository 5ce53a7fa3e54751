"""The ledger's tables as evidence: read from all replicas that live."""

from typing import Any

from reports.evidence import AccountRow, RequestRow, Row
from scenarios.backends.base import Backend
from scenarios.stages.real.preparing import connection
from scenarios.stages.tables import ROW
from system import database
from system.database import ALL, QUORUM, Database
from system.errors import Stop

_REQUEST = (
    "user_id",
    "request_id",
    "body_hash",
    "decision",
    "reason",
    "effects",
    "outcome",
    "expired",
)


class Tables:
    """What the tables hold; `unreadable` says which could not be read, and why."""

    def __init__(self, backend: Backend, keyspace: str) -> None:
        self.unreadable: list[str] = []
        self._keyspace = keyspace
        everybody = all(node.alive for node in backend.nodes)
        self._levels = (ALL, QUORUM) if everybody else (QUORUM,)
        self._session: Database | None = None
        try:
            self._session = database.connect(connection(backend, keyspace))
        except Stop as stop:
            self.unreadable.append(f"the tables: {stop.message}")

    def rows(self) -> tuple[Row, ...]:
        """Return the ledger, by account and seq."""
        found = [
            Row(**dict(zip(ROW, values, strict=True)))
            for values in self._read("balance_ledger", ROW)
        ]
        return tuple(sorted(found, key=lambda row: (row.user_id, row.asset_id, row.seq)))

    def requests(self) -> tuple[RequestRow, ...]:
        """Return what is said of each request key."""
        found = [
            RequestRow(**dict(zip(_REQUEST, values, strict=True)))
            for values in self._read("requests", _REQUEST)
        ]
        return tuple(sorted(found, key=lambda row: (row.user_id, row.request_id, row.body_hash)))

    def accounts(self) -> tuple[AccountRow, ...]:
        """Return which user has rows of which asset."""
        found = [
            AccountRow(user_id=user, asset_id=asset)
            for user, asset in self._read("users_assets", ("user_id", "asset_id"))
        ]
        return tuple(sorted(found, key=lambda row: (row.user_id, row.asset_id)))

    def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            self._session.close()

    def _read(self, table: str, columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
        if self._session is None:
            return []
        cql = f"SELECT {', '.join(columns)} FROM {{ks}}.{table}"
        why = ""
        for level in self._levels:
            try:
                statement = self._session.prepare(cql, level)
                return [tuple(row) for row in self._session.send(statement, ()).result()]
            except Stop as stop:
                why = stop.message
            except database.FAILURES as error:
                why = str(error)
        self.unreadable.append(f"table {self._keyspace}.{table}: {why}")
        return []
