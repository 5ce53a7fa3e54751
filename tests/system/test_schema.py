"""The schema: `setup` may run again, and refuses a keyspace that has other tables of its names."""

from typing import Any

import pytest

from system import database, schema
from system.config import Kafka
from system.database import Database, Row, Scylla
from system.errors import ConfigError
from system.schema import Column
from system.setup import Settings, Setup


class Keyspace(Database):
    """A database that has some columns, and takes statements."""

    def __init__(self, columns: set[Column]) -> None:
        super().__init__(None, None, "wavetank")
        self.columns = columns
        self.executed: list[str] = []

    def query(self, cql: str) -> list[Row]:
        return [tuple(column) for column in self.columns]

    def execute(self, cql: str) -> None:
        self.executed.append(cql)

    def close(self) -> None:
        pass


def prepared(monkeypatch: pytest.MonkeyPatch, columns: set[Column]) -> Keyspace:
    found: Any = Keyspace(columns)
    monkeypatch.setattr(database, "connect", lambda _: found)
    settings = Settings(kafka=Kafka(bootstrap="none:1"), scylla=Scylla(contact_points=("none",)))
    Setup(settings).create_tables()
    assert isinstance(found, Keyspace)
    return found


@pytest.mark.parametrize("there", [set(), {"balance_ledger"}, {c.table for c in schema.expected()}])
def test_setup_creates_what_is_missing_and_may_run_again(
    monkeypatch: pytest.MonkeyPatch, there: set[str]
) -> None:
    found = prepared(monkeypatch, {c for c in schema.expected() if c.table in there})

    assert found.executed == list(schema.load())


def test_setup_refuses_a_keyspace_of_another_schema_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    older = {
        column._replace(order="asc") if column.name == "seq" else column
        for column in schema.expected()
    }

    with pytest.raises(
        ConfigError, match=r"another schema version \(tables balance_ledger differ\)"
    ):
        prepared(monkeypatch, older)


def test_every_table_of_the_file_is_known_with_its_keys() -> None:
    columns = schema.expected()

    tables = {column.table for column in columns}
    assert len(tables) == schema.SOURCE.read_text().count("CREATE TABLE")
    assert {c.table for c in columns if c.kind == "partition_key"} == tables
    assert Column("orders_by_user", "order_id", "text", "clustering", 1, "desc") in columns
