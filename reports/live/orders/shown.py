"""What users are shown of orders and trades: the tables beside the ledger, against the outputs.

Rows are folded into a fixed number of buckets by their key. An order's row is written anew by each
of its outputs: what stands is folded when it is closed, so that memory grows with open orders. Rows
newer than the cut are kept until the outputs after it have been read.
"""

from array import array
from collections.abc import Iterator

from reports.breaks import Break
from reports.evidence import OrderRow, OutputRow, SideRow, TradeRow
from reports.live.folds import MASK, hash_tuple
from reports.live.orders.emitted import Due, Emitted
from reports.live.sources import Cut, Sources
from reports.shown import Key, Shown, key_of, rows_of
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
        self.most = most
        self.more = 0
        self.checked = 0
        self.newer: dict[int, Shown] = {}
        self.breaks: list[Break] = []
        self._due = array("Q", bytes(8 * BUCKETS))
        self._there = array("Q", bytes(8 * BUCKETS))
        self._open: dict[str, OrderRow] = {}
        self._moved_on: set[Key] = set()  # open orders whose row is newer than the cut

    def due(self, due: Due) -> None:
        """Take in an output before the cut."""
        for row in wanted(due):
            if not isinstance(row, OrderRow):
                _add(self._due, row)
            elif row.status == "open":
                self._open[row.order_id] = row
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
            if seq <= self._settled(symbol):
                _add(self._there, row)
                continue
            self.newer[_hash(row)] = row
            if isinstance(row, OrderRow) and row.order_id in self._open:
                del self._open[row.order_id]
                self._moved_on.add(key_of(row))
        for order in self._open.values():
            _add(self._due, order)

    def read_later(self, ends: dict[int, int]) -> None:
        """Explain newer rows by the outputs after the cut, read until now."""
        for partition, end in sorted(ends.items()):
            if partition in self.emitted.at_commit and self.newer:
                walk = self.emitted.at_commit[partition].fork()
                low = self.cut.settled_outputs_offset(partition)
                for later in walk.read(low, end):
                    for row in wanted(later):
                        self.newer.pop(_hash(row), None)

    def _settled(self, symbol: int) -> int:
        """Return the number of the last output of a symbol that was settled at the cut."""
        walks = self.emitted.at_commit.values()
        return max((w.turns[symbol].last for w in walks if symbol in w.turns), default=0)

    def look_again(self) -> None:
        """Read again, row by row, what does not agree."""
        for row in self.newer.values():
            self._break("ROW_NOT_THE_ENGINES", key_of(row), None, row)
        suspects = {bucket for bucket in range(BUCKETS) if self._due[bucket] != self._there[bucket]}
        if not suspects:
            return
        expected = self._expected(suspects)
        for row in self.sources.shown():
            key, seq = key_of(row), seq_of(row)
            retained = self.emitted.first(row.symbol_id) <= seq <= self._settled(row.symbol_id)
            if retained and _bucket(key) in suspects:
                last = expected.pop(key, None)
                if last != row:
                    stale = last is not None and seq < seq_of(last)
                    code = "NOT_SETTLED" if stale else "ROW_NOT_THE_ENGINES"
                    self._break(code, key, last, row)
        for key, last in sorted(expected.items(), key=str):
            self._break("NOT_SETTLED", key, last, None)

    def _expected(self, suspects: set[int]) -> dict[Key, Shown]:
        """Return the last row of each key in some buckets, as of the cut."""
        found: dict[Key, Shown] = {}
        for partition, span in sorted(self.cut.outputs.items()):
            walk = self.emitted.walk(partition)
            for due in walk.read(span.low, self.cut.settled_outputs_offset(partition)):
                for row in wanted(due):
                    key = key_of(row)
                    if _bucket(key) in suspects and key not in self._moved_on:
                        found[key] = row
        return found

    def _break(self, code: str, key: Key, expected: Shown | None, found: Shown | None) -> None:
        if len(self.breaks) >= self.most:
            self.more += 1
            return
        table, *at = key
        about = expected or found
        self.breaks.append(
            Break(
                invariant=_INVARIANT,
                code=code,
                where=f"{table}, {', '.join(map(str, at))}",
                expected="no row" if expected is None else str(expected),
                found="no row" if found is None else str(found),
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
