"""What users are shown of orders and trades: the tables beside the ledger, against the outputs.

Rows are folded into a fixed number of buckets by their key. An order's row is written anew by each
of its outputs: what stands is folded when it is closed, so that memory grows with open orders. Of
rows newer than the cut the hashes are kept until the outputs after it have been read: there are as
many as are written while the tables are read.
"""

from array import array
from collections.abc import Iterator

from reports.breaks import Break
from reports.evidence import OrderRow, OutputRow, SideRow, TradeRow
from reports.live.folds import AT_ONCE, MASK, hash_tuple
from reports.live.listed import Listed
from reports.live.orders.emitted import Due, Emitted
from reports.live.sources import Cut, Sources
from reports.shown import Key, Shown, key_of, rows_of, told
from system.trades import PLACES

BUCKETS = 1 << 16
_INVARIANT = "I9"


def wanted(due: Due) -> Iterator[Shown]:
    """Yield every row that an output calls for, its own first."""
    output = due.record
    yield OutputRow(symbol_id=output.symbol_id, output_seq=output.output_seq, hash=output.hash)
    yield from rows_of(output)


def seq_of(row: Shown) -> int:
    """Return the output that wrote a row last."""
    if isinstance(row, TradeRow | SideRow):
        return row.trade_number // PLACES
    return row.output_seq


class Tables:
    """Compares the four tables with the outputs before the cut, and newer rows with those after."""

    def __init__(self, sources: Sources, cut: Cut, emitted: Emitted, most: int) -> None:
        self.sources = sources
        self.cut = cut
        self.emitted = emitted
        self.breaks = Listed(most, "rows of trades and orders that differ")
        self.checked = 0
        self.unread = 0  # buckets that differ and are not read again
        self.newer: set[int] = set()
        self._due = array("Q", bytes(8 * BUCKETS))
        self._there = array("Q", bytes(8 * BUCKETS))
        self._open: dict[str, int] = {}  # bucket and hash of the row of each
        self._moved_on: set[str] = set()  # open orders whose row is newer than the cut

    def due(self, due: Due) -> None:
        """Take in an output before the cut."""
        for row in wanted(due):
            if not isinstance(row, OrderRow):
                _add(self._due, row)
            elif row.status == "open":
                self._open[row.order_id] = _bucket(key_of(row)) << 64 | _hash(row)
            else:
                self._open.pop(row.order_id, None)
                _add(self._due, row)

    def read(self) -> None:
        """Read the tables."""
        for row in self.sources.shown():
            self.checked += 1
            seq, symbol = seq_of(row), row.symbol_id
            if seq < self.emitted.first(symbol):
                continue  # its output is no longer retained
            if seq <= self.emitted.settled(symbol):
                _add(self._there, row)
                continue
            self.newer.add(_hash(row))
            if isinstance(row, OrderRow) and self._open.pop(row.order_id, None) is not None:
                self._moved_on.add(row.order_id)
        for packed in self._open.values():
            bucket, hashed = packed >> 64, packed & MASK
            self._due[bucket] = (self._due[bucket] + hashed) & MASK

    def read_later(self, ends: dict[int, int]) -> None:
        """Explain newer rows by the outputs after the cut, read until now."""
        for partition, end in sorted(ends.items()):
            if partition in self.emitted.at_commit and self.newer:
                walk = self.emitted.at_commit[partition].fork()
                low = self.cut.settled_outputs_offset(partition)
                for later in walk.read(low, end):
                    for row in wanted(later):
                        self.newer.discard(_hash(row))

    def look_again(self) -> None:
        """Read again, row by row, what does not agree."""
        suspects = self._suspects()
        if not suspects and not self.newer:
            return
        expected = self._expected(suspects) if suspects else {}
        for row in self.sources.shown():
            key, seq = key_of(row), seq_of(row)
            if seq > self.emitted.settled(row.symbol_id):
                self._newer(key, row)
            elif seq >= self.emitted.first(row.symbol_id) and _bucket(key) in suspects:
                last = expected.pop(key, None)
                if last != row:
                    stale = last is not None and seq < seq_of(last)
                    code = "NOT_SETTLED" if stale else "ROW_NOT_THE_ENGINES"
                    self._break(code, key, last, row)
        for key, last in sorted(expected.items(), key=str):
            self._break("NOT_SETTLED", key, last, None)
        for _ in self.newer:
            self._break("ROW_NOT_THE_ENGINES", ("orders_by_user", "overwritten since"), None, None)

    def _newer(self, key: Key, row: Shown) -> None:
        """Accuse a row newer than the cut that no output explains."""
        hashed = _hash(row)
        if hashed in self.newer:
            self.newer.remove(hashed)
            self._break("ROW_NOT_THE_ENGINES", key, None, row)

    def _suspects(self) -> set[int]:
        """Return as many buckets that differ as fit in memory."""
        found = [bucket for bucket in range(BUCKETS) if self._due[bucket] != self._there[bucket]]
        most = max(AT_ONCE * BUCKETS // max(self.checked, 1), 1)
        self.unread = max(len(found) - most, 0)
        return set(found[:most])

    def _expected(self, suspects: set[int]) -> dict[Key, Shown]:
        """Return the last row of each key in some buckets, as of the cut."""
        found: dict[Key, Shown] = {}
        for partition, span in sorted(self.cut.outputs.items()):
            walk = self.emitted.walk(partition)
            for due in walk.read(span.low, self.cut.settled_outputs_offset(partition)):
                for row in wanted(due):
                    key = key_of(row)
                    moved_on = isinstance(row, OrderRow) and row.order_id in self._moved_on
                    if _bucket(key) in suspects and not moved_on:
                        found[key] = row
        return found

    def _break(self, code: str, key: Key, expected: Shown | None, found: Shown | None) -> None:
        table, *at = key
        due, there = told(expected, found)
        about = expected or found
        self.breaks.add(
            Break(
                invariant=_INVARIANT,
                code=code,
                where=f"{table}, {', '.join(map(str, at))}",
                expected=due,
                found=there,
                user_id=about.user_id if isinstance(about, SideRow | OrderRow) else 0,
                cause="what users are shown of orders and trades is not what the engine did",
            )
        )


def _add(folds: "array[int]", row: Shown) -> None:
    bucket = _bucket(key_of(row))
    folds[bucket] = (folds[bucket] + _hash(row)) & MASK


def _bucket(key: Key) -> int:
    return hash_tuple(key) % BUCKETS


def _hash(row: Shown) -> int:
    return hash_tuple((key_of(row)[0], *(getattr(row, name) for name in row.__struct_fields__)))
