"""What the driver says to a node and what comes back, as plain values.

Compared is everything that a program can see: rows, columns and their types, page by page; what is
told of a prepared statement; the class of an error and its fields. Not compared are the words of
messages, which each database has its own of, and warnings.
"""

from collections.abc import Callable
from typing import Any

from cassandra import ConsistencyLevel
from cassandra.cluster import NoHostAvailable, ResultSet, Session
from cassandra.query import (
    BatchStatement,
    BatchType,
    PreparedStatement,
    SimpleStatement,
    Statement,
)

from tests.conformance.cql.steps import Step

Plain = Any  # what JSON can hold

# Of the driver's errors: what the protocol adds to the message.
_FIELDS = (
    "consistency",
    "required_replicas",
    "alive_replicas",
    "required_responses",
    "received_responses",
    "data_retrieved",
    "write_type",
    "keyspace",
    "table",
)


class Talk:
    """One session with one node."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._prepared: dict[str, PreparedStatement] = {}

    def say(self, step: Step) -> Plain:
        """Carry out a step and return what came back."""
        told: dict[str, Plain] = {}
        try:
            statement = self._statement(step, told)
            between = list(step.between or [])
            found = self.session.execute(statement)
            return told | _result(found, lambda: between and self.session.execute(between.pop(0)))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is compared
            return told | _error(error)

    def _statement(self, step: Step, told: dict[str, Plain]) -> Statement:
        level = ConsistencyLevel.name_to_value[step.level]
        if step.parts is not None:
            return self._batch(step.cql, step.parts, level)
        if step.values is None and step.raw is None:
            return SimpleStatement(step.cql, consistency_level=level, fetch_size=step.page or None)
        prepared = self._prepared.get(step.cql)
        if prepared is None:
            prepared = self._prepared[step.cql] = self.session.prepare(step.cql)
            told["prepared"] = _told(prepared)
        statement = prepared.bind(step.values or [])
        if step.raw is not None:
            statement.values = [None if x is None else bytes.fromhex(x) for x in step.raw]
        statement.consistency_level = level
        statement.fetch_size = step.page or None
        return statement

    def _batch(self, kind: str, parts: list[list[Any]], level: int) -> BatchStatement:
        batch = BatchStatement(getattr(BatchType, kind), consistency_level=level)
        for cql, values in parts:
            batch.add(cql if values is None else self.session.prepare(cql), values)
        return batch


def _told(prepared: PreparedStatement) -> Plain:
    markers = prepared.column_metadata or []
    columns = prepared.result_metadata or []
    return {
        "markers": [[*column[:3], _type(column[3])] for column in markers],
        "columns": [[*column[:3], _type(column[3])] for column in columns],
        "routing": prepared.routing_key_indexes,
    }


def _result(found: ResultSet, between: Callable[[], object]) -> Plain:
    if not found.column_names:
        return {"done": True}
    pages = [[[repr(value) for value in row] for row in found.current_rows]]
    while found.has_more_pages:
        between()
        found.fetch_next_page()
        pages.append([[repr(value) for value in row] for row in found.current_rows])
    columns = list(zip(found.column_names, map(_type, found.column_types), strict=True))
    return {"columns": [list(column) for column in columns], "pages": pages}


def _error(error: Exception) -> Plain:
    if isinstance(error, NoHostAvailable) and len(error.errors) == 1:
        (error,) = error.errors.values()
    fields = {name: getattr(error, name) for name in _FIELDS if hasattr(error, name)}
    return {"error": type(error).__name__} | fields


def _type(kind: Any) -> str:
    return str(kind.cql_parameterized_type())
