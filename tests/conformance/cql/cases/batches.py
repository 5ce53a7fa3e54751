"""Batches of one and of several partitions, as text and as the protocol's message."""

from tests.conformance.cql.steps import batch, bound, case

_WIDE = "(k int, c int, v text, w text, PRIMARY KEY (k, c))"
_PUT = "INSERT INTO {t} (k, c, v) VALUES (%d, %d, '%s')"
_ALL = "SELECT k, c, v, w, writetime(v), writetime(w) FROM {t}"


def _text(kind: str, *parts: str, using: str = "", end: str = "; ") -> str:
    return f"BEGIN {kind} BATCH {using} {end.join(parts)} APPLY BATCH"


_AT = "USING TIMESTAMP 10"

CASES = (
    case(
        "batches_as_text",
        _text("", _PUT % (1, 1, "a"), _PUT % (1, 2, "b"), using=_AT, end=" "),
        _text("UNLOGGED", _PUT % (2, 1, "a"), _PUT % (3, 1, "b"), using=_AT) + ";",
        _text("unlogged", _PUT % (1, 1, "0"), using="USING TIMESTAMP 9"),
        _ALL,
        _text(
            "UNLOGGED",
            "UPDATE {t} USING TIMESTAMP 11 SET w = 'x' WHERE k = 1 AND c = 1",
            "DELETE FROM {t} USING TIMESTAMP 10 WHERE k = 2",
            "DELETE v FROM {t} USING TIMESTAMP 12 WHERE k = 3 AND c = 1",
        ),
        _ALL,
        _text("", _PUT % (1, 1, "a") + " USING TIMESTAMP 1", using=_AT),
        _text("COUNTER", _PUT % (1, 1, "a")),
        _text("", "SELECT * FROM {t}"),
        _text("UNLOGGED"),
        _text("NONSENSE", _PUT % (1, 1, "a")),
        "BEGIN BATCH " + _PUT % (1, 1, "a"),
        _text("", _PUT % (1, 1, "a"), "INSERT INTO conformance.nothing (k) VALUES (1)"),
        _text("", _PUT % (9, 9, "a"), "INSERT INTO {t} (k) VALUES (9)"),
        _ALL,
        table=_WIDE,
    ),
    case(
        "one_batch_has_one_time",
        _text("", _PUT % (1, 1, "a"), _PUT % (1, 1, "b"), _PUT % (1, 1, "aa"), using=_AT),
        _text("", "DELETE FROM {t} WHERE k = 2 AND c = 1", _PUT % (2, 1, "gone"), using=_AT),
        _text("", _PUT % (3, 1, "gone"), "DELETE FROM {t} WHERE k = 3", using=_AT),
        _text("", _PUT % (4, 1, "gone"), "DELETE FROM {t} WHERE k = 4 AND c < 5", using=_AT),
        _text("", _PUT % (5, 1, "a"), "DELETE v FROM {t} WHERE k = 5 AND c = 1", using=_AT),
        _ALL,
        table=_WIDE,
    ),
    case(
        "batches_with_values",
        bound(
            "BEGIN UNLOGGED BATCH USING TIMESTAMP ? INSERT INTO {t} (k, c, v) VALUES (?, ?, ?);"
            " UPDATE {t} SET w = ? WHERE k = ? AND c = ?; APPLY BATCH",
            *(7, 1, 1, "a", "b", 2, 2),
        ),
        bound(
            "BEGIN BATCH INSERT INTO {t} (k, c) VALUES (1, ?);"
            " DELETE FROM {t} USING TIMESTAMP ? WHERE k = 1 AND c = ?; APPLY BATCH",
            *(5, 8, 1),
        ),
        _ALL.replace(", writetime(v), writetime(w)", ""),
        batch(
            "UNLOGGED", _PUT % (5, 1, "x"), ("UPDATE {t} SET v = ? WHERE k = 6 AND c = ?", "y", 1)
        ),
        batch("LOGGED", _PUT % (7, 1, "x"), ("DELETE FROM {t} WHERE k = ? AND c = ?", 7, 2)),
        batch("UNLOGGED"),
        batch("COUNTER", _PUT % (8, 1, "x")),
        batch("UNLOGGED", "SELECT * FROM {t}"),
        batch("UNLOGGED", _PUT % (8, 1, "x"), "nonsense"),
        batch("UNLOGGED", _PUT % (8, 1, "x"), "INSERT INTO {t} (k, c) VALUES (8, ?)"),
        "SELECT k, c, v, w FROM {t}",
        table=_WIDE,
    ),
    case(
        "a_logged_batch_of_several_partitions",
        _text("", _PUT % (1, 1, "a"), _PUT % (2, 1, "a")),
        batch("LOGGED", _PUT % (3, 1, "a"), _PUT % (4, 1, "a")),
        "TRUNCATE {t}",
        _ALL,
        table=_WIDE,
    ),
    case(
        "writes_of_several_rows_and_partitions",
        *(_PUT % (k, c, f"{k}{c}") + " USING TIMESTAMP 10" for k in (1, 2, 3) for c in (1, 2, 3)),
        "UPDATE {t} USING TIMESTAMP 20 SET v = 'u', w = 'w' WHERE k IN (2, 1) AND c IN (3, 1, 4)",
        _ALL,
        "DELETE FROM {t} USING TIMESTAMP 15 WHERE k IN (3, 1) AND c IN (2, 3, 2)",
        "DELETE v FROM {t} USING TIMESTAMP 30 WHERE k = 2 AND c IN (3, 1)",
        _ALL,
        "DELETE FROM {t} USING TIMESTAMP 30 WHERE k IN (1, 2) AND c > 2",
        "DELETE FROM {t} USING TIMESTAMP 30 WHERE k IN ()",
        "UPDATE {t} USING TIMESTAMP 30 SET v = 'x' WHERE k IN () AND c = 1",
        "UPDATE {t} USING TIMESTAMP 30 SET v = 'x' WHERE k = 1 AND c IN ()",
        _ALL,
        bound(
            "UPDATE {t} USING TIMESTAMP 40 SET v = ? WHERE k IN ? AND c IN (?, 2)", "b", [1, 5], 7
        ),
        bound("DELETE FROM {t} USING TIMESTAMP 41 WHERE k IN (?, ?) AND c IN ?", 5, 2, [7, 1]),
        bound("UPDATE {t} SET v = ? WHERE k IN ? AND c = 1", "b", [1, None]),
        _text(
            "UNLOGGED",
            "DELETE FROM {t} WHERE k IN (1, 3) AND c = 1",
            "UPDATE {t} SET v = 'y' WHERE k IN (2, 3) AND c IN (1, 2)",
            using="USING TIMESTAMP 50",
        ),
        _ALL,
        "UPDATE {t} SET v = 'x' WHERE k IN (1, 2)",
        "UPDATE {t} SET v = 'x' WHERE k IN (1, 2) AND c > 1",
        "UPDATE {t} SET v = 'x' WHERE k IN (1, 2) AND k = 3 AND c = 1",
        "DELETE FROM {t} WHERE k IN (1, 2)",
        _ALL,
        table=_WIDE,
    ),
)
