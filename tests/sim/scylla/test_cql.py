"""What nodes take for CQL, and how they refuse the rest."""

import pytest

from sim.scylla.cql.parser import parse, split
from sim.scylla.cql.statements import CreateTable, Insert, Marker, Select
from sim.scylla.errors import CqlError, Invalid, SyntaxFault
from tests.sim.scylla.harness import Client, Sandbox, decoded


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("INSERT INTO k.plain (id) VALUES ('x') IF NOT EXISTS", Invalid, "lightweight"),
        ("UPDATE k.plain SET a = '1' WHERE id = 'x' IF a = '2'", Invalid, "lightweight"),
        ("INSERT INTO k.plain (id) VALUES ('x') USING TTL 5", Invalid, "TTL"),
        ("ALTER TABLE k.plain ADD c int", Invalid, "ALTER"),
        ("CREATE INDEX ON k.plain (a)", Invalid, "indexes"),
        ("SELECT * FROM k.plain ALLOW FILTERING", Invalid, "ALLOW FILTERING"),
        ("SELECT DISTINCT id FROM k.plain", Invalid, "DISTINCT"),
        ("SELECT now() FROM k.plain", Invalid, "now()"),
        ("SELEC * FROM k.plain", SyntaxFault, "line 1:0"),
        ("SELECT a FROM k.plain WHERE", SyntaxFault, "<EOF>"),
        ("SELECT select FROM k.plain", SyntaxFault, "select"),
        ("SELECT * FROM k.plain WHERE a = '1'", Invalid, "ALLOW FILTERING"),
        ("SELECT * FROM k.ledger WHERE user = 1", Invalid, "ALLOW FILTERING"),
        ("SELECT * FROM k.plain WHERE nothing = 1", Invalid, "nothing"),
        ("SELECT * FROM k.nothing", Invalid, "unconfigured table nothing"),
        ("SELECT * FROM plain", Invalid, "No keyspace"),
        ("SELECT * FROM k.plain WHERE id = 5", Invalid, "integer constant"),
        ("SELECT * FROM k.ledger WHERE user = 1 AND asset = 1 LIMIT 0", Invalid, "positive"),
        ("INSERT INTO k.plain (a) VALUES ('1')", Invalid, "missing: id"),
        ("INSERT INTO k.ledger (user, asset) VALUES (1, 1)", Invalid, "missing: seq"),
        ("UPDATE k.plain SET id = 'y' WHERE id = 'x'", Invalid, "PRIMARY KEY part id"),
        ("INSERT INTO k.plain (id, a) VALUES (null, '1')", Invalid, "null value"),
        ("INSERT INTO k.plain (id, a) VALUES ('', '1')", Invalid, "empty"),
        ("CREATE TABLE k.t (a int)", Invalid, "No PRIMARY KEY"),
        ("CREATE TABLE k.t (a counter PRIMARY KEY)", Invalid, "counter"),
        ("CREATE TABLE k.t (a int PRIMARY KEY, b list<int>)", Invalid, "frozen"),
        ("CREATE TABLE k.t (a int PRIMARY KEY) WITH nonsense = 1", SyntaxFault, "nonsense"),
        ("CREATE TABLE k.t (a int PRIMARY KEY) WITH default_time_to_live = 9", CqlError, "model"),
        ("CREATE TABLE k.plain (a int PRIMARY KEY)", CqlError, "already existing"),
        ("CREATE KEYSPACE q WITH replication = {'class': 'Other'}", CqlError, "Other"),
        (
            "INSERT INTO k.plain (id, a) VALUES ('x', '1') USING TIMESTAMP 9000000000000000",
            Invalid,
            "3 days",
        ),
    ],
)
def test_what_is_not_modelled_is_refused_by_name(
    text: str, kind: type[CqlError], words: str
) -> None:
    answer = Client(Sandbox()).ask(text)

    assert words in answer.message
    assert answer.code == kind.code or kind is CqlError


def test_words_of_the_language_may_be_names() -> None:
    created = parse(
        "CREATE TABLE t (key text, type text, timestamp timestamp, ttl int, PRIMARY KEY (key))"
    )
    inserted = parse('INSERT INTO t (key, "Type", ttl) VALUES (?, :named, 5) USING TIMESTAMP ?')

    assert isinstance(created, CreateTable)
    assert isinstance(inserted, Insert)
    assert inserted.columns == ("key", "Type", "ttl")
    assert inserted.values[:2] == (Marker(0, ""), Marker(1, "named"))
    assert inserted.timestamp == Marker(2, "")


def test_comparisons_and_type_parameters_share_their_signs() -> None:
    selected = parse("SELECT a FROM t WHERE k = ? AND c >= 5 AND c < :high")
    created = parse("CREATE TABLE t (a int PRIMARY KEY, m frozen<map<text, frozen<list<int>>>>)")

    assert isinstance(selected, Select)
    assert isinstance(created, CreateTable)
    assert [relation.operator for relation in selected.where] == ["=", ">=", "<"]
    assert str(created.columns[1][1]) == "frozen<map<text, frozen<list<int>>>>"


def test_a_script_is_split_where_statements_end() -> None:
    script = "-- a; b\nUSE k; /* ; */ INSERT INTO t (a) VALUES ('x;''y'); SELECT $$;$$ FROM t"

    assert split(script) == [
        "USE k",
        "INSERT INTO t (a) VALUES ('x;''y')",
        "SELECT $$;$$ FROM t",
    ]


def test_literals_of_all_types_come_back() -> None:
    schema = """
    CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};
    CREATE TABLE k.all (id int PRIMARY KEY, a bigint, b text, c boolean, d timestamp, e uuid,
        f blob, g varint, h decimal, i double, j frozen<list<int>>, l frozen<map<text, int>>);
    """
    client = Client(Sandbox(1, schema))

    client.ask(
        "INSERT INTO k.all (id, a, b, c, d, e, f, g, h, i, j, l) VALUES (1, -5, 'it''s', true, "
        "'2026-01-02T03:04:05+00:00', 5f3759df-0000-4000-8000-000000000000, 0xff, "
        "123456789012345678901234567890, 1.50, 2.5, [1, 2], {'a': 1})"
    )
    (row,) = decoded(client.ask("SELECT a, b, c, f, g, h, i, j, l FROM k.all WHERE id = 1"))

    assert row[:4] == (-5, "it's", True, b"\xff")
    assert str(row[4:7]) == "(123456789012345678901234567890, Decimal('1.50'), 2.5)"
    assert list(row[7]) == [1, 2]
    assert dict(row[8]) == {"a": 1}
