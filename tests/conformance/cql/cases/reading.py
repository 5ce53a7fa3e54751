"""SELECT: clustering order, ranges, IN, LIMIT, token(), pages."""

from tests.conformance.cql.steps import Step, bound, case

_WIDE = "(k int, c int, d text, v int, PRIMARY KEY (k, c, d)) WITH CLUSTERING ORDER BY (c DESC)"
_ROWS = [
    f"INSERT INTO {{t}} (k, c, d, v) VALUES ({k}, {c}, '{d}', {k * 100 + c})"
    for k in (1, 2, 3)
    for c in (1, 2, 3)
    for d in "ab"
]
_NARROW = "(k int PRIMARY KEY, v text)"
_MANY = [f"INSERT INTO {{t}} (k, v) VALUES ({k}, 'v{k}')" for k in range(23)]

CASES = (
    case(
        "clustering_order_and_ranges",
        *_ROWS,
        "SELECT * FROM {t} WHERE k = 1",
        "SELECT * FROM {t} WHERE k = 1 ORDER BY c ASC",
        "SELECT * FROM {t} WHERE k = 1 ORDER BY c DESC",
        "SELECT * FROM {t} WHERE k = 1 ORDER BY c DESC, d DESC",
        "SELECT * FROM {t} WHERE k = 1 ORDER BY c ASC, d DESC",
        "SELECT c, d FROM {t} WHERE k = 1 AND c = 2",
        "SELECT c, d FROM {t} WHERE k = 1 AND c = 2 AND d = 'b'",
        "SELECT c, d FROM {t} WHERE k = 1 AND c > 1",
        "SELECT c, d FROM {t} WHERE k = 1 AND c >= 2 AND c < 3",
        "SELECT c, d FROM {t} WHERE k = 1 AND c < 3 ORDER BY c ASC LIMIT 3",
        "SELECT c, d FROM {t} WHERE k = 1 AND c = 1 AND d > 'a'",
        "SELECT c, d FROM {t} WHERE k = 1 AND c = 1 AND d >= 'a' AND d <= 'a'",
        "SELECT c, d FROM {t} WHERE k = 1 AND c > 5 AND c < 2",
        "SELECT c FROM {t} WHERE k = 4",
        "SELECT * FROM {t}",
        "SELECT * FROM {t} LIMIT 4",
        table=_WIDE,
    ),
    case(
        "in_relations",
        *_ROWS,
        "SELECT k, c, d FROM {t} WHERE k IN (3, 1)",
        "SELECT k, c, d FROM {t} WHERE k IN (3, 1, 3, 9) LIMIT 7",
        "SELECT k, c, d FROM {t} WHERE k = 1 AND c IN (3, 1)",
        "SELECT k, c, d FROM {t} WHERE k = 1 AND c IN (3, 1) AND d = 'a'",
        "SELECT k, c, d FROM {t} WHERE k = 1 AND c IN (3, 1) AND d > 'a'",
        "SELECT k, c, d FROM {t} WHERE k IN (2, 1) AND c IN (1, 2) AND d IN ('a', 'z')",
        "SELECT k, c, d FROM {t} WHERE k = 1 AND c IN (3, 1) ORDER BY c ASC",
        "SELECT k, c, d FROM {t} WHERE k = 1 AND c IN ()",
        bound("SELECT k, c, d FROM {t} WHERE k IN ? AND c = ?", [2, 1], 2),
        Step(cql="SELECT k, c, d FROM {t} WHERE k IN (1, 2)", page=4),
        table=_WIDE,
    ),
    case(
        "functions_and_aliases",
        *_ROWS[:6],
        "SELECT count(*) FROM {t}",
        "SELECT count(*) FROM {t} WHERE k = 1 AND c > 1",
        "SELECT count(*) AS many FROM {t} WHERE k = 9",
        "SELECT count(1) FROM {t}",
        "SELECT v AS value, c AS c FROM {t} WHERE k = 1",
        "SELECT c, c FROM {t} WHERE k = 1 LIMIT 1",
        "SELECT ttl(v) FROM {t} WHERE k = 1 LIMIT 1",
        "SELECT no_such_function(v) FROM {t}",
        Step(cql="SELECT count(*) FROM {t}", page=2),
        table=_WIDE,
    ),
    case(
        "token_ranges",
        *_MANY,
        "SELECT k FROM {t}",
        "SELECT k FROM {t} WHERE token(k) > 0",
        "SELECT k FROM {t} WHERE token(k) <= 0",
        "SELECT k FROM {t} WHERE token(k) > -4069959284402364209",
        "SELECT k FROM {t} WHERE token(k) >= -4069959284402364209 AND token(k) < 9",
        "SELECT k FROM {t} WHERE token(k) > 5 AND token(k) < 4",
        "SELECT k FROM {t} WHERE token(k) >= -9223372036854775808 LIMIT 3",
        "SELECT k FROM {t} WHERE token(v) > 0",
        "SELECT k FROM {t} WHERE token(k) > 0 AND k = 1",
        Step(cql="SELECT k FROM {t} WHERE token(k) > 0", page=3),
        table=_NARROW,
    ),
    case(
        "token_of_two_columns",
        *(f"INSERT INTO {{t}} (a, b, c) VALUES ({n}, 'x{n}', {n})" for n in range(9)),
        "SELECT * FROM {t}",
        "SELECT a FROM {t} WHERE token(a, b) > 0",
        "SELECT a FROM {t} WHERE token(b, a) > 0",
        "SELECT a FROM {t} WHERE token(a) > 0",
        "SELECT c FROM {t} WHERE a = 1 AND b = 'x1'",
        "SELECT c FROM {t} WHERE a IN (1, 2) AND b IN ('x2', 'x1')",
        "SELECT c FROM {t} WHERE a = 1",
        table="(a int, b text, c int, PRIMARY KEY ((a, b), c))",
    ),
    case(
        "pages_of_a_scan",
        *_MANY,
        *(Step(cql="SELECT k, v FROM {t}", page=page) for page in (1, 5, 22, 23, 24, 100)),
        Step(cql="SELECT k FROM {t} LIMIT 10", page=5),
        Step(cql="SELECT k FROM {t} LIMIT 10", page=4),
        Step(cql="SELECT k FROM {t} LIMIT 10", page=10),
        Step(cql="SELECT k FROM {t} LIMIT 10", page=11),
        bound("SELECT k FROM {t} LIMIT ?", 7, page=3),
        table=_NARROW,
    ),
    case(
        "pages_of_partitions",
        *_ROWS,
        *(Step(cql="SELECT k, c, d FROM {t} WHERE k = 1", page=page) for page in (1, 2, 5, 6, 7)),
        *(Step(cql="SELECT k, c, d FROM {t}", page=page) for page in (1, 4, 6, 9, 18)),
        Step(cql="SELECT c, d FROM {t} WHERE k = 1 ORDER BY c ASC", page=2),
        Step(cql="SELECT c, d FROM {t} WHERE k = 1 AND c > 1 LIMIT 3", page=2),
        Step(cql="SELECT c, d FROM {t} WHERE k = 1 AND c IN (1, 3)", page=3),
        Step(cql="SELECT c, d FROM {t} WHERE k = 9", page=3),
        "DELETE FROM {t} WHERE k = 2 AND c = 2",
        "DELETE FROM {t} WHERE k = 1",
        Step(cql="SELECT k, c, d FROM {t}", page=3),
        table=_WIDE,
    ),
)
