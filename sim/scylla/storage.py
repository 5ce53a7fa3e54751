"""Rows as a replica stores them: cells with write timestamps, markers, tombstones, last write wins.

An *update* is a plain nested tuple, so that it can be shared, hashed and sent:
``(partition tombstone, range tombstones, rows)`` with rows ``(key, marker, tombstone, cells)`` and
cells ``(column, (timestamp, dead, value))``. A mutation is an update; so is what a read returns.

**Faithful** (Scylla's compare_atomic_cell_for_merge): the higher timestamp wins; at equal
timestamps a tombstone beats a value and then the larger value wins, per cell, so that a row can
be mixed from two writes; a row lives while its marker or a cell lives, so that a row made by
UPDATE vanishes when its last cell does; null is a tombstone.
**Simplified**: tombstones are never purged; no TTL; cells live in memory, there is no compaction.
"""

import marshal
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from hashlib import blake2b
from operator import itemgetter
from typing import Any

from sim.scylla.table import Key, Table

NEVER = -(2**63)  # older than every timestamp
MARKER = -1  # stands for the row marker where columns are numbered

Cell = tuple[int, int, bytes]  # timestamp, 1 if dead, value: max() of two is the merged cell
RowUpdate = tuple[Key, int, int, tuple[tuple[int, Cell], ...]]  # key, marker, tombstone, cells
Bound = tuple[Key, bool]  # a prefix of a key, and whether rows with it are inside
Interval = tuple[Bound, Bound]  # lower, upper; empty prefixes are open
RangeTombstone = tuple[Interval, int]
Update = tuple[int, tuple[RangeTombstone, ...], tuple[RowUpdate, ...]]

EVERYTHING: Interval = (((), True), ((), True))
NOTHING: Update = (NEVER, (), ())

_sort_key = itemgetter(0)


class Row:
    """One row of a partition."""

    __slots__ = ("cells", "key", "marker", "overwrites", "packed", "since", "tombstone")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.marker = NEVER
        self.tombstone = NEVER
        self.cells: dict[int, Cell] = {}
        self.packed: RowUpdate | None = None
        self.since: dict[int, int] = {}  # evidence for the harness: when a cell took its value
        self.overwrites = 0  # evidence for the harness: writes that changed a living cell

    @property
    def living(self) -> bool:
        """Whether readers see the row."""
        return self.marker > NEVER or any(not cell[1] for cell in self.cells.values())

    def update(self) -> RowUpdate:
        """Return the whole row as an update."""
        if self.packed is None:
            cells = tuple(sorted(self.cells.items()))
            self.packed = (self.key, self.marker, self.tombstone, cells)
        return self.packed

    def merge(self, update: RowUpdate, floor: int, now_ns: int = 0) -> bool:
        """Take in an update; what is not newer than `floor` is shadowed. True if it changed."""
        _, marker, tombstone, cells = update
        changed = False
        if tombstone > self.tombstone and tombstone > floor:
            self.tombstone = tombstone
            changed = True
        floor = max(floor, self.tombstone)
        if changed:
            self.shadow(floor)
        if marker > self.marker and marker > floor:
            self.marker = marker
            self.since.setdefault(MARKER, now_ns)
            changed = True
        mine = self.cells
        overwritten = False
        for column, cell in cells:
            if cell[0] <= floor:
                continue
            old = mine.get(column)
            if old is None:
                mine[column] = cell
                self.since[column] = now_ns
                changed = True
            elif cell > old:
                mine[column] = cell
                changed = True
                if cell[1:] != old[1:]:
                    self.since[column] = now_ns
                    overwritten = True
        if changed:
            self.packed = None
            self.overwrites += overwritten
        return changed

    def begin(self, update: RowUpdate, floor: int, now_ns: int) -> bool:
        """Become what an update says, as a row of which nothing was known; True if it is there."""
        _, marker, tombstone, cells = update
        if tombstone > NEVER or floor > NEVER:
            return self.merge(update, floor, now_ns)
        self.marker = marker
        self.cells = dict(cells)
        self.since = dict.fromkeys(self.cells, now_ns)
        if marker > NEVER:
            self.since[MARKER] = now_ns
        self.packed = update  # its cells are in order, and replicas share it
        return bool(self.since)

    def shadow(self, floor: int) -> None:
        """Drop what is not newer than a tombstone at `floor`."""
        self.packed = None
        if self.marker <= floor:
            self.marker = NEVER
            self.since.pop(MARKER, None)
        if self.cells:
            self.cells = {column: cell for column, cell in self.cells.items() if cell[0] > floor}


class Partition:
    """The rows of one partition key in clustering order."""

    __slots__ = ("key", "order", "ranges", "rows", "table", "token", "tombstone")

    def __init__(self, table: Table, key: bytes, token: int) -> None:
        self.table = table
        self.key = key
        self.token = token
        self.tombstone = NEVER
        self.ranges: list[RangeTombstone] = []
        self.rows: dict[Key, Row] = {}
        self.order: list[tuple[tuple[Any, ...], Key]] = []

    def apply(self, update: Update, now_ns: int = 0) -> bool:
        """Take in an update; in any order, any number of times, the result is the same."""
        tombstone, ranges, rows = update
        changed = False
        if tombstone > self.tombstone or ranges:
            changed = self._bury(tombstone, ranges)
        for row_update in rows:
            key = row_update[0]
            row = self.rows.get(key)
            floor = self._floor(key)
            if row is None:
                row = Row(key)
                if not row.begin(row_update, floor, now_ns):
                    continue
                self.rows[key] = row
                insort(self.order, (self.table.order(key), key), key=_sort_key)
            elif not row.merge(row_update, floor, now_ns):
                continue
            changed = True
        return changed

    def _floor(self, key: Key) -> int:
        """Return the newest tombstone over the row at `key`, other than its own."""
        if not self.ranges:
            return self.tombstone
        place = self.table.order(key)
        return max(
            [self.tombstone, *(ts for interval, ts in self.ranges if self._covers(interval, place))]
        )

    def _covers(self, interval: Interval, place: tuple[Any, ...]) -> bool:
        (low, low_in), (high, high_in) = interval
        start, end = self.table.order(low), self.table.order(high)
        head, tail = place[: len(start)], place[: len(end)]
        after = start < head or (low_in and start == head)
        before = tail < end or (high_in and tail == end)
        return after and before

    def _bury(self, tombstone: int, ranges: tuple[RangeTombstone, ...]) -> bool:
        before = (self.tombstone, tuple(self.ranges))
        self.tombstone = max(self.tombstone, tombstone)
        newest = dict(self.ranges)
        for interval, ts in ranges:
            newest[interval] = max(newest.get(interval, NEVER), ts)
        self.ranges = sorted(item for item in newest.items() if item[1] > self.tombstone)
        if before == (self.tombstone, tuple(self.ranges)):
            return False
        for key, row in list(self.rows.items()):
            floor = self._floor(key)
            if row.tombstone <= floor:
                row.tombstone = NEVER
            row.shadow(floor)
            if row.marker == NEVER and row.tombstone == NEVER and not row.cells:
                self._forget(key)
        return True

    def _forget(self, key: Key) -> None:
        del self.rows[key]
        place = self.table.order(key)
        at = bisect_left(self.order, place, key=_sort_key)
        while self.order[at][1] != key:
            at += 1
        del self.order[at]

    def read(
        self,
        intervals: tuple[Interval, ...],
        limit: int = 0,
        *,
        backwards: bool = False,
        beyond: Key | None = None,
    ) -> Update:
        """Return rows inside `intervals` in order, dead ones included, up to `limit` living.

        A limit of 0 is none; with `beyond` only rows after that key are meant.
        """
        rows: list[RowUpdate] = []
        left = limit
        for row in self._scan(intervals, beyond, backwards=backwards):
            rows.append(row.update())
            if row.living:
                left -= 1
                if left == 0:
                    break
        return self.tombstone, tuple(self.ranges), tuple(rows)

    def everything(self, *, backwards: bool = False) -> Update:
        """Return all there is."""
        return self.read((EVERYTHING,), backwards=backwards)

    def _scan(
        self, intervals: tuple[Interval, ...], beyond: Key | None, *, backwards: bool
    ) -> Iterator[Row]:
        rows, size = self.rows, len(self.table.clustering)
        if beyond is not None and not size:
            return  # the one row there can be was the last of the page before
        first, last = 0, len(self.order)
        if beyond is not None and backwards:
            last = self._place(beyond, inside=False, upper=True)
        elif beyond is not None:
            first = self._place(beyond, inside=False, upper=False)
        for (low, low_in), (high, high_in) in reversed(intervals) if backwards else intervals:
            if beyond is None and low == high and len(low) == size and low_in and high_in:
                found = rows.get(low)
                if found is not None:
                    yield found
                continue
            start = max(first, self._place(low, low_in, upper=False))
            end = min(last, self._place(high, high_in, upper=True))
            places = range(end - 1, start - 1, -1) if backwards else range(start, end)
            for at in places:
                yield rows[self.order[at][1]]

    def _place(self, prefix: Key, inside: bool, *, upper: bool) -> int:
        """Return where rows with `prefix` begin (or, on the other side of them, end)."""
        if not prefix:
            return len(self.order) if upper else 0
        wanted = self.table.order(prefix)
        size = len(wanted)
        cut: Callable[[tuple[tuple[Any, ...], Key]], Any] = lambda entry: entry[0][:size]  # noqa: E731
        bisect = bisect_right if inside == upper else bisect_left
        return bisect(self.order, wanted, key=cut)


def digest(found: Any) -> bytes:
    """Return a short hash of updates; equal content has equal hashes in every process."""
    return blake2b(marshal.dumps(found, 2), digest_size=16).digest()


def merged(table: Table, key: bytes, updates: list[Update]) -> Partition:
    """Return the partition that replicas' answers make together."""
    partition = Partition(table, key, 0)
    for update in updates:
        partition.apply(update)
    return partition


def lacking(whole: Update, has: Update) -> Update | None:
    """Return what a replica that answered `has` needs to get to `whole`; None if nothing."""
    known = {row[0]: row for row in has[2]}
    rows = tuple([row for row in whole[2] if known.get(row[0]) != row])
    tombstone = whole[0] if whole[0] > has[0] else NEVER
    ranges = tuple([item for item in whole[1] if item not in has[1]])
    if not rows and tombstone == NEVER and not ranges:
        return None
    return tombstone, ranges, rows
