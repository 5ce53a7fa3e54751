"""Types: literals, bound values, their order, and what cannot be a value."""

import datetime as dt
import uuid
from decimal import Decimal

from tests.conformance.cql.steps import bound, case

_ID = uuid.UUID("8a6ab5d0-9c01-11ee-8c90-0242ac120002")


def _day(year: int, month: int, day: int) -> dt.datetime:
    return dt.datetime(year, month, day, tzinfo=dt.UTC)


_LITERALS = {
    "ascii": ("'plain'", "''"),
    "bigint": ("9223372036854775807", "-9223372036854775808"),
    "blob": ("0x00ff", "0x"),
    "boolean": ("true", "FALSE"),
    "decimal": ("1.50", "-3", "1e3"),
    "double": ("1.5", "-0.0", "3", "1e300"),
    "int": ("2147483647", "-2147483648"),
    "smallint": ("32767", "-1"),
    "text": ("'čaj'", "$$it's$$"),
    "timestamp": ("1700000000123", "'2023-11-14T22:13:20.123Z'", "'2023-11-14 22:13:20+0000'"),
    "timeuuid": (str(_ID),),
    "tinyint": ("127", "-128"),
    "uuid": (str(_ID), "00000000-0000-4000-8000-000000000000"),
    "varint": ("123456789012345678901234567890", "-1", "0"),
    "frozen<list<int>>": ("[1, 2, 2]", "[]"),
    "frozen<set<text>>": ("{'b', 'a', 'a'}", "{}"),
    "frozen<map<text, int>>": ("{'b': 1, 'a': 2}", "{}"),
    "frozen<list<frozen<map<int, text>>>>": ("[{1: 'a'}, {}]",),
}
_WRONG = {
    "ascii": ("'č'", "1"),
    "bigint": ("9223372036854775808", "'1'", "1.5"),
    "blob": ("'ff'", "0x0", "1"),
    "boolean": ("1", "'true'"),
    "decimal": ("'1.5'",),
    "double": ("'1'",),
    "int": ("2147483648", "1.0", "null"),
    "smallint": ("32768",),
    "text": ("1", "true"),
    "timestamp": ("'yesterday'", "1.5"),
    "timeuuid": ("00000000-0000-4000-8000-000000000000", "'x'"),
    "tinyint": ("128",),
    "uuid": ("'x'", "1"),
    "frozen<list<int>>": ("{1}", "['a']", "[null]"),
    "frozen<map<text, int>>": ("['a']", "{1: 1}"),
}
_ORDERED = {
    "bigint": (3, -1, 0, 2**40),
    "boolean": (True, False),
    "blob": (b"\xff", b"", b"\x00", b"\x00\x01"),
    "decimal": (Decimal("1.10"), Decimal(-2), Decimal("1.2"), Decimal(10)),
    "double": (0.0, -1.5, 2.5, -0.0, float("inf"), float("-inf")),
    "text": ("b", "", "a", "ab", "č"),
    "timestamp": (_day(2023, 1, 2), _day(1960, 1, 1), _day(2023, 1, 1)),
    "timeuuid": (
        uuid.UUID("8a6ab5d0-9c01-11ee-8c90-0242ac120002"),
        uuid.UUID("00000000-9c01-11ee-8c90-0242ac120002"),
        uuid.UUID("8a6ab5d0-9c01-11ee-ff90-0242ac120002"),
        uuid.UUID("8a6ab5d0-9c01-11ed-8c90-0242ac120002"),
    ),
    "uuid": (
        uuid.UUID("8a6ab5d0-9c01-11ee-8c90-0242ac120002"),
        uuid.UUID("00000000-9c01-11ef-8c90-0242ac120002"),
        uuid.UUID("00000000-0000-4000-8000-000000000000"),
        uuid.UUID("ffffffff-0000-4000-8000-000000000000"),
    ),
    "varint": (2**70, -(2**70), 0, 255, -129),
    "frozen<list<int>>": ([2], [1, 5], [], [1], [-1, 3]),
}


def _name(kind: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in kind).strip("_")


CASES = (
    *(
        case(
            f"literals_of_{_name(kind)}",
            *(f"INSERT INTO {{t}} (k, v) VALUES ({n}, {text})" for n, text in enumerate(texts)),
            "SELECT * FROM {t}",
            *(f"INSERT INTO {{t}} (k, v) VALUES (9, {text})" for text in _WRONG.get(kind, ())),
            "SELECT v FROM {t} WHERE k = 9",
            bound("SELECT v FROM {t} WHERE k = ?", 0),
            table=f"(k int PRIMARY KEY, v {kind})",
        )
        for kind, texts in _LITERALS.items()
    ),
    *(
        case(
            f"order_of_{_name(kind)}",
            *(bound("INSERT INTO {t} (k, c) VALUES (?, ?)", 1, value) for value in values),
            "SELECT c FROM {t} WHERE k = 1",
            "SELECT c FROM {t} WHERE k = 1 ORDER BY c DESC",
            bound("SELECT c FROM {t} WHERE k = 1 AND c > ?", values[0]),
            bound("SELECT c FROM {t} WHERE k = 1 AND c <= ?", values[0]),
            table=f"(k int, c {kind}, PRIMARY KEY (k, c))",
        )
        for kind, values in _ORDERED.items()
    ),
    case(
        "types_as_partition_keys",
        *(
            bound("INSERT INTO {t} (a, b, c) VALUES (?, ?, ?)", text, number, flag)
            for text, number, flag in (("", 1, True), ("x", 2, False), ("č", -1, True))
        ),
        "SELECT * FROM {t}",
        bound("SELECT * FROM {t} WHERE a = ? AND b = ? AND c = ?", "č", -1, True),
        table="(a text, b decimal, c boolean, PRIMARY KEY ((a, b, c)))",
    ),
)
