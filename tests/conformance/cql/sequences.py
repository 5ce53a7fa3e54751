"""Random sequences of writes and reads; keys and timestamps are few, so that ties are many."""

from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any, ClassVar

from cassandra.query import UNSET_VALUE
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.conformance.cql.steps import KEYSPACE, Step, bound

TABLE = f"{KEYSPACE}.sequences"
CREATE = (
    f"CREATE TABLE {TABLE} (k int, c int, d text, v text, w bigint, PRIMARY KEY (k, c, d))"
    " WITH CLUSTERING ORDER BY (c DESC)"
)
_STEPS = 25
_ALL = f"SELECT k, c, d, v, w, writetime(v), writetime(w) FROM {TABLE}"

_which = st.integers(0, 1)  # of the two partitions that a sequence has
_c = st.integers(-1, 3)
_d = st.sampled_from(["", "a", "b"])
_at = st.integers(-1, 4)
_v = st.sampled_from(["", "a", "b", "ab", None, UNSET_VALUE])
_w = st.sampled_from([0, 1, -1, 2**40, None, UNSET_VALUE])
_low, _high = st.sampled_from([">", ">="]), st.sampled_from(["<", "<="])
_page = st.none() | st.integers(1, 7)

Say = Callable[[Step], None]


class Sequence(RuleBasedStateMachine):
    """One sequence, about two new partitions, told to `say` step by step."""

    tell: ClassVar[Any]  # a `Say`
    numbers: ClassVar[Iterator[int]]

    def __init__(self) -> None:
        super().__init__()
        self.base = 2 * next(self.numbers)

    def say(self, step: Step) -> None:
        self.tell(step)

    @rule(k=_which, c=_c, d=_d, v=_v, w=_w, at=_at)
    def insert(self, k: int, c: int, d: str, v: Any, w: Any, at: int) -> None:
        columns = "(k, c, d, v, w) VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ?"
        self.say(bound(f"INSERT INTO {TABLE} {columns}", self.base + k, c, d, v, w, at))

    @rule(k=_which, c=_c, d=_d, v=_v, w=_w, at=_at)
    def update(self, k: int, c: int, d: str, v: Any, w: Any, at: int) -> None:
        what = "USING TIMESTAMP ? SET v = ?, w = ? WHERE k = ? AND c = ? AND d = ?"
        self.say(bound(f"UPDATE {TABLE} {what}", at, v, w, self.base + k, c, d))

    @rule(k=_which, c=_c, d=_d, at=_at, columns=st.sampled_from(["", "v", "w", "v, w"]))
    def delete(self, k: int, c: int, d: str, at: int, columns: str) -> None:
        where = f"FROM {TABLE} USING TIMESTAMP ? WHERE k = ? AND c = ? AND d = ?"
        self.say(bound(f"DELETE {columns} {where}", at, self.base + k, c, d))

    @rule(k=_which, c=_c, at=_at)
    def delete_prefix(self, k: int, c: int, at: int) -> None:
        where = f"FROM {TABLE} USING TIMESTAMP ? WHERE k = ? AND c = ?"
        self.say(bound(f"DELETE {where}", at, self.base + k, c))

    @rule(k=_which, low=_c, high=_c, at=_at, more=_low, less=_high)
    def delete_range(self, k: int, low: int, high: int, at: int, more: str, less: str) -> None:
        where = f"USING TIMESTAMP ? WHERE k = ? AND c {more} ? AND c {less} ?"
        self.say(bound(f"DELETE FROM {TABLE} {where}", at, self.base + k, low, high))

    @rule(k=_which, c=_c, d=_d, at=_at, less=_high)
    def delete_range_below(self, k: int, c: int, d: str, at: int, less: str) -> None:
        where = f"USING TIMESTAMP ? WHERE k = ? AND c = ? AND d {less} ?"
        self.say(bound(f"DELETE FROM {TABLE} {where}", at, self.base + k, c, d))

    @rule(k=_which, at=_at)
    def delete_partition(self, k: int, at: int) -> None:
        where = "USING TIMESTAMP ? WHERE k = ?"
        self.say(bound(f"DELETE FROM {TABLE} {where}", at, self.base + k))

    @rule(k=_which, c=_c, d=_d, v=_v, w=_w, at=_at)
    def batch(self, k: int, c: int, d: str, v: Any, w: Any, at: int) -> None:
        one, other = self.base + k, self.base + 1 - k
        put = f"INSERT INTO {TABLE} (k, c, d, v) VALUES (?, ?, ?, ?)"
        change = f"UPDATE {TABLE} SET w = ? WHERE k = ? AND c = 1 AND d = ?"
        away = f"DELETE FROM {TABLE} WHERE k = ? AND c = 1 AND d = ?"
        text = f"BEGIN UNLOGGED BATCH USING TIMESTAMP ? {put}; {change}; {away}; APPLY BATCH"
        self.say(bound(text, at, one, c, d, v, w, other, d, one, d))

    @rule(k=_which, c=_c, page=_page, limit=st.integers(1, 9), more=_low, turned=st.booleans())
    def read(self, k: int, c: int, page: Any, limit: int, more: str, turned: bool) -> None:
        order = "ORDER BY c ASC " if turned else ""
        where = f"WHERE k = ? AND c {more} ? {order}LIMIT ?"
        self.say(bound(f"{_ALL} {where}", self.base + k, c, limit, page=page))

    @rule(k=_which, c=_c, d=_d, at=_at, page=st.integers(1, 3), turned=st.booleans())
    def read_meanwhile(self, k: int, c: int, d: str, at: int, page: int, turned: bool) -> None:
        row = f"k = {self.base + k} AND c = {c}"
        put = f"INSERT INTO {TABLE} (k, c, d, v) VALUES ({self.base + k}, {c}, '{d}', 'new')"
        between = [
            f"{put} USING TIMESTAMP {at}",
            f"DELETE FROM {TABLE} USING TIMESTAMP {at + 1} WHERE {row} AND d = '{d}'",
            f"DELETE FROM {TABLE} USING TIMESTAMP {at} WHERE {row}",
        ]
        order = "ORDER BY c ASC" if turned else ""
        text = f"{_ALL} WHERE k = ? {order}"
        self.say(bound(text, self.base + k, page=page, between=between))

    @rule(c=_c, d=_d, page=_page)
    def read_some(self, c: int, d: str, page: int | None) -> None:
        keys = [self.base + 1, self.base]
        self.say(bound(f"{_ALL} WHERE k IN ? AND c IN ? AND d >= ?", keys, [2, c], d, page=page))

    def teardown(self) -> None:
        for k in (self.base, self.base + 1):
            self.say(bound(f"{_ALL} WHERE k = ?", k))


def run(say: Say, examples: int, seeds: Iterable[int], *, shrink: bool) -> None:
    """Tell `say` so many sequences of each seed, the same for the same seeds."""
    numbers = count(1)
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]
    say(Step(cql=CREATE))
    for start in seeds:
        told = type("Told", (Sequence,), {"tell": staticmethod(say), "numbers": numbers})
        run_state_machine_as_test(
            seed(start)(told),
            settings=settings(
                max_examples=examples,
                stateful_step_count=_STEPS,
                phases=phases,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
