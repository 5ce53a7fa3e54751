"""The tables as evidence: read from all replicas that live."""

from typing import Any

from reports.shown import columns
from scenarios.backends.base import Backend
from scenarios.stages.real.preparing import connection
from scenarios.stages.tables import TABLES, in_order
from system import database
from system.database import ALL, QUORUM, Database
from system.errors import Stop


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

    def gathered(self) -> dict[str, tuple[Any, ...]]:
        """Return the rows of every table, by what the evidence calls them."""
        found = {}
        for name, (table, record) in TABLES.items():
            names = columns(record)
            rows = self._read(table, names)
            found[name] = in_order(record(**dict(zip(names, row, strict=True))) for row in rows)
        return found

    def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            self._session.close()

    def _read(self, table: str, names: tuple[str, ...]) -> list[tuple[Any, ...]]:
        if self._session is None:
            return []
        cql = f"SELECT {', '.join(names)} FROM {{ks}}.{table}"
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
