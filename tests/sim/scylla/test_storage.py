"""Last write wins, whatever the order and however often."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sim.scylla.cql import parser
from sim.scylla.cql.statements import Truncate
from sim.scylla.schema import Schema
from sim.scylla.storage import EVERYTHING, NEVER, NOTHING, Partition, Update, lacking, merged
from sim.scylla.table import Table
from tests.sim.scylla.harness import SCHEMA, big


def _ledger() -> Table:
    schema = Schema(0, {})
    for text in parser.split(SCHEMA):
        schema, _ = schema.changed(parser.parse(text), None, ("dc1",))
    statement = parser.parse("TRUNCATE k.ledger")
    assert isinstance(statement, Truncate)
    return schema.table(statement.table, None)


LEDGER = _ledger()

times = st.integers(1, 5)
keys = st.integers(0, 3).map(lambda number: (big(number),))
cells = st.dictionaries(
    st.integers(0, 1),
    st.one_of(
        st.tuples(times, st.just(0), st.sampled_from([b"a", b"b", b""])),
        st.tuples(times, st.just(1), st.just(b"")),
    ),
).map(lambda found: tuple(sorted(found.items())))
maybe = st.one_of(st.just(NEVER), times)
rows = st.tuples(keys, maybe, maybe, cells)
ends = st.one_of(st.just(()), keys)
intervals = st.tuples(st.tuples(ends, st.booleans()), st.tuples(ends, st.booleans()))
ranges = st.lists(st.tuples(intervals, times), max_size=2).map(tuple)
updates: st.SearchStrategy[Update] = st.tuples(
    maybe, ranges, st.lists(rows, max_size=3, unique_by=lambda row: row[0]).map(tuple)
)


def applied(found: list[Update]) -> Update:
    return merged(LEDGER, b"key", found).everything()


@given(st.lists(updates, max_size=5), st.randoms(use_true_random=False))
def test_updates_may_come_in_any_order_and_twice(found: Any, random: Any) -> None:
    shuffled = found + found[: len(found) // 2]
    random.shuffle(shuffled)

    assert applied(shuffled) == applied(found)


@given(updates, updates, updates)
def test_merging_is_associative_with_what_replicas_answer(one: Any, two: Any, three: Any) -> None:
    left = applied([applied([one, two]), three])
    right = applied([one, applied([two, three])])

    assert left == right


@given(st.lists(updates, max_size=4), st.lists(updates, max_size=4))
def test_a_replica_that_gets_what_it_lacks_agrees(mine: Any, theirs: Any) -> None:
    has = applied(mine)
    whole = applied([has, applied(theirs)])

    missing = lacking(whole, has)

    assert applied([has, missing or NOTHING]) == whole
    assert lacking(whole, whole) is None


@settings(max_examples=50)
@given(st.lists(updates, max_size=5), st.integers(1, 3), st.booleans())
def test_pages_make_the_whole(found: Any, limit: int, backwards: bool) -> None:
    partition = merged(LEDGER, b"key", found)
    whole = partition.read((EVERYTHING,), backwards=backwards)[2]

    pages: list[Any] = []
    beyond = None
    while True:
        page = partition.read((EVERYTHING,), limit, backwards=backwards, beyond=beyond)[2]
        if not page:
            break
        pages += page
        beyond = page[-1][0]

    assert tuple(pages) == whole


def test_at_equal_timestamps_a_tombstone_wins_and_then_the_larger_value() -> None:
    value = (NEVER, (), (((big(1),), 5, NEVER, ((0, (5, 0, b"z")), (1, (5, 0, b"a")))),))
    other = (NEVER, (), (((big(1),), 5, NEVER, ((0, (5, 1, b"")), (1, (5, 0, b"b")))),))

    (row,) = applied([value, other])[2]

    assert dict(row[3]) == {0: (5, 1, b""), 1: (5, 0, b"b")}


def test_a_row_without_marker_vanishes_with_its_last_cell() -> None:
    partition = Partition(LEDGER, b"key", 0)
    partition.apply((NEVER, (), (((big(1),), NEVER, NEVER, ((0, (5, 0, b"x")),)),)))
    assert partition.rows[(big(1),)].living

    partition.apply((NEVER, (), (((big(1),), NEVER, NEVER, ((0, (6, 1, b"")),)),)))

    assert not partition.rows[(big(1),)].living
