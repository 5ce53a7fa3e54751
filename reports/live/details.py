"""The second look at the ledger: what the folds do not agree on is read again, row by row.

Rows and events of a suspected account are folded again, in blocks of numbers; only blocks that
differ are kept, so that an account with millions of rows takes no more memory than others.
"""

from collections.abc import Iterator

from reports.breaks import Break
from reports.case import COLUMNS, content
from reports.invariants.ledger import hole
from reports.invariants.money import negative, off_chain
from reports.live.folds import BLOCK, Blocks, batches, hash_cells
from reports.live.listed import Listed
from reports.live.numbering import Arrived
from reports.live.orders.kinds import SETTLED
from reports.live.parts import Found, Parts
from reports.live.replay import Replay
from reports.live.sources import Account, Cells, Cut, Sources
from reports.live.stored import Stored
from reports.naming import account_name
from reports.reconcile.codes import EVENTS_TOPIC, LEDGER, Kind, meaning
from system.records import EVENTS, LedgerRow

Block = tuple[Account, int]  # account, seq // BLOCK
Rows = dict[Account, dict[int, Cells]]


class Source:
    """An event of a suspected account: whether it lies before the cut, and where."""

    __slots__ = ("at_ms", "before", "cells", "place", "request_id")

    def __init__(self, *, before: bool, arrived: Arrived, partition: int) -> None:
        event = arrived.event
        self.before = before
        self.cells: Cells = content(event)  # type: ignore[arg-type, assignment]
        self.place = f"{EVENTS}/{partition}@{arrived.offset}"
        self.at_ms = arrived.timestamp_ms
        self.request_id = event.request_id


Events = dict[Account, dict[int, Source]]


class LedgerDetails:
    """Compares suspected accounts row by row; what is found goes into `parts` and `breaks`."""

    def __init__(self, sources: Sources, cut: Cut, stored: Stored, parts: Parts, most: int) -> None:
        self.sources = sources
        self.cut = cut
        self.stored = stored
        self.parts = parts
        self.breaks = Listed(most, "breaks in the chains of accounts")
        self.unread = 0

    def look(self) -> None:
        """Fold the suspects' rows and events, and compare blocks that differ."""
        suspects = self.stored.suspects
        if not suspects:
            return
        rows, events = self._rows_folded(), self._events_folded()
        passes, self.unread = batches(rows.differing(events, suspects), self._size)
        for blocks in passes:
            self._compare(blocks)

    def _rows_folded(self) -> Blocks[Account]:
        folded: Blocks[Account] = Blocks()
        for account in self.stored.suspects:
            base = self._state(account)[0]
            for row in self._chained(account):
                if row[2] > base:
                    folded.add(account, row[2], hash_cells(row))
        return folded

    def _events_folded(self) -> Blocks[Account]:
        folded: Blocks[Account] = Blocks()
        for _, _, arrived in self._events():
            cells: Cells = content(arrived.event)  # type: ignore[arg-type, assignment]
            folded.add(cells[:2], cells[2], hash_cells(cells))
        return folded

    def _state(self, account: Account) -> tuple[int, int]:
        """Return the seq before an account's first retained event, and that of its last one."""
        state = self.stored.accounts.get(account)
        return (state.base, state.seq) if state is not None else (0, 0)

    def _size(self, block: Block) -> int:
        """Return how many rows or events a block has at most."""
        account, number = block
        state = self.stored.accounts.get(account)
        last = max(state.top, state.seq) if state is not None else 0
        return max(min(BLOCK, last + 1 - number * BLOCK), 1)

    def _events(self) -> Iterator[tuple[bool, int, Arrived]]:
        """Yield the suspects' events once more: whether before the cut, partition, event."""
        for partition, end in sorted(self.sources.ends().items()):
            for before, arrived in Replay(self.sources, self.cut, partition).read(end):
                event = arrived.event
                if not isinstance(event, LedgerRow):
                    continue
                if (event.user_id, event.asset_id) in self.stored.suspects:
                    yield before, partition, arrived

    # -- blocks that differ ----------------------------------------------------------------------

    def _compare(self, blocks: set[Block]) -> None:
        rows: Rows = {account: {} for account, _ in sorted(blocks)}
        for account, found in rows.items():
            for row in self.sources.ledger_of(account):
                if (account, row[2] // BLOCK) in blocks:
                    found[row[2]] = row
        events, settled = self._in_blocks(blocks, rows)
        for account, found in rows.items():
            self._compare_account(account, events.get(account, {}), found, settled)

    def _in_blocks(self, blocks: set[Block], rows: Rows) -> tuple[Events, set[tuple[Account, str]]]:
        """Return the events in some blocks, and what the rows' references have a row for."""
        refs = {(account, row[8]) for account, found in rows.items() for row in found.values()}
        events: Events = {}
        settled = set()
        for before, partition, arrived in self._events():
            source = Source(before=before, arrived=arrived, partition=partition)
            account, seq, ref = source.cells[:2], source.cells[2], source.cells[8]
            inside = (account, seq // BLOCK) in blocks
            if (account, ref) in refs and (not inside or seq in rows[account]):
                settled.add((account, ref))
            if inside:
                known = events.setdefault(account, {}).setdefault(seq, source)
                if known is not source:
                    self._reused(account, known, source)
        return events, settled

    def _compare_account(
        self,
        account: Account,
        events: dict[int, Source],
        rows: dict[int, Cells],
        settled: set[tuple[Account, str]],
    ) -> None:
        base, seq_at_cut = self._state(account)
        for seq in sorted(events.keys() | rows.keys()):
            source, row = events.get(seq), rows.get(seq)
            if source is not None and row is not None:
                if source.cells != row:
                    self._altered(source, row, newer=seq > seq_at_cut)
            elif source is not None:
                if source.before:
                    self._missing(source)
            elif row is not None and seq > base:
                kind: Kind = "duplicate" if (account, row[8]) in settled else "orphan"
                self._without_event(row, kind, newer=seq > seq_at_cut)

    def _altered(self, source: Source, row: Cells, *, newer: bool) -> None:
        pairs = zip(COLUMNS, source.cells, row, strict=True)
        names = ", ".join(
            f"{name} is {has}, not {says}" for name, says, has in pairs if says != has
        )
        code, cause = meaning(EVENTS_TOPIC, LEDGER, "altered")
        amount = row[3] + row[4] - source.cells[3] - source.cells[4]
        if newer:
            self.stored.tally.add(row[1], amount, 0)
        place = f"{_place(row)}, {source.place}"
        self._accuse(code, row, amount, 0, source.at_ms, place, f"{cause}: {names}")

    def _missing(self, source: Source) -> None:
        cells = source.cells
        place = f"{_place(cells)}, {source.place}"
        code, cause = meaning(EVENTS_TOPIC, LEDGER, "missing", source.place)
        self._accuse(code, cells, -(cells[3] + cells[4]), -1, source.at_ms, place, cause)

    def _without_event(self, row: Cells, kind: Kind, *, newer: bool) -> None:
        delta = row[3] + row[4]
        if newer:
            self.stored.tally.add(row[1], delta)
            self.stored.published.kinds.add(SETTLED, row[7], row[1], row[3], row[4])
        code, cause = meaning(EVENTS_TOPIC, LEDGER, kind)
        self._accuse(code, row, delta, 1, row[9], _place(row), cause)

    def _accuse(
        self,
        code: str,
        cells: Cells,
        amount: int,
        count: int,
        at_ms: int,
        place: str,
        cause: str,
    ) -> None:
        user, asset, request = cells[0], cells[1], cells[8]
        self.parts.accuse(Found(code, asset, amount, count, at_ms, user, request, place, cause))

    # -- chains ----------------------------------------------------------------------------------

    def _chained(self, account: Account) -> Iterator[Cells]:
        """Yield an account's rows, the highest seq first, and accuse what breaks their chain."""
        above: Cells | None = None
        lowest_hole: tuple[int, int] | None = None
        for row in self.sources.ledger_of(account):
            yield row
            if row[5] < 0 or row[6] < 0:
                place = f"ledger row {row[2]}"
                self.breaks.add(negative(place, account, row[5], row[6], row[8]))
            lowest_hole = self._joined(account, row[2], row[5:7], above) or lowest_hole
            above = row
        lowest_hole = self._joined(account, 0, (0, 0), above) or lowest_hole
        if lowest_hole is not None:
            self.breaks.add(hole(account, "ledger", *lowest_hole))

    def _joined(
        self, account: Account, seq: int, balances: tuple[int, int], above: Cells | None
    ) -> tuple[int, int] | None:
        """Check that a row follows the one below it; return the hole if one is missing."""
        if above is None:
            return None
        if above[2] != seq + 1:
            return seq + 1, above[2]
        place, after = f"ledger row {above[2]}", above[5:7]
        for broken in off_chain(account, above[2], place, balances, above[3:5], after, above[8]):
            self.breaks.add(broken)
        return None

    def _reused(self, account: Account, known: Source, other: Source) -> None:
        if known.cells == other.cells:
            return
        self.breaks.add(
            Break(
                invariant="I5",
                code="SEQ_REUSED",
                where=f"{account_name(account)} seq {known.cells[2]}, {other.place}",
                expected=f"one event of this seq, {known.place}",
                found=f"another one, request {other.request_id}",
                asset_id=account[1],
                user_id=account[0],
                request_id=other.request_id,
                cause="two changes of one account bear the same number",
            )
        )


def _place(cells: Cells) -> str:
    return f"{account_name((cells[0], cells[1]))} seq {cells[2]}"
