"""The second look: what the folds do not agree on is read again and named, item by item.

**Simplified**: rows and events of the suspected accounts are in memory together while they are
compared, so a suspect with millions of rows takes more than the first look did.
"""

from reports.breaks import Break
from reports.case import COLUMNS, content
from reports.invariants.ledger import hole
from reports.invariants.money import negative, off_chain
from reports.live.parts import Found, Parts
from reports.live.replay import Replay
from reports.live.sources import Account, Cells, Cut, Sources
from reports.live.stored import Stored
from reports.naming import account_name
from reports.reconcile.codes import EVENTS_TOPIC, LEDGER, Kind, meaning
from system.records import EVENTS, LedgerRow


class Source:
    """An event of a suspected account: whether it lies before the cut, and where."""

    __slots__ = ("at_ms", "before", "cells", "place", "request_id")

    def __init__(self, *, before: bool, event: LedgerRow, place: str, at_ms: int) -> None:
        self.before = before
        self.cells: Cells = content(event)  # type: ignore[assignment]
        self.place = place
        self.at_ms = at_ms
        self.request_id = event.request_id


Events = dict[Account, dict[int, Source]]


class LedgerDetails:
    """Compares suspected accounts row by row; what is found goes into `parts` and `breaks`."""

    def __init__(self, sources: Sources, cut: Cut, stored: Stored, parts: Parts) -> None:
        self.sources = sources
        self.cut = cut
        self.stored = stored
        self.parts = parts
        self.breaks: list[Break] = []

    def look(self) -> None:
        """Read the suspects' rows, then their events, and compare."""
        suspects = self.stored.suspects
        if not suspects:
            return
        rows = {
            account: {row[2]: row for row in self.sources.ledger_of(account)}
            for account in suspects
        }
        events = self._events(self.sources.ends())
        for account in suspects:
            self._compare(account, events.get(account, {}), rows[account])
            self._chain(account, rows[account])

    def _events(self, ends: dict[int, int]) -> Events:
        found: Events = {}
        for partition, end in sorted(ends.items()):
            for before, arrived in Replay(self.sources, self.cut, partition).read(end):
                event = arrived.event
                if not isinstance(event, LedgerRow):
                    continue
                account = event.user_id, event.asset_id
                if account not in self.stored.suspects:
                    continue
                place = f"{EVENTS}/{partition}@{arrived.offset}"
                source = Source(before=before, event=event, place=place, at_ms=arrived.timestamp_ms)
                known = found.setdefault(account, {}).setdefault(event.seq, source)
                if known is not source:
                    self._reused(account, known, source)
        return found

    def _compare(self, account: Account, events: dict[int, Source], rows: dict[int, Cells]) -> None:
        state = self.stored.accounts.get(account)
        base, seq_at_cut = (state.base, state.seq) if state is not None else (0, 0)
        settled = {source.cells[8] for seq, source in events.items() if seq in rows}
        for seq in sorted(events.keys() | rows.keys()):
            source, row = events.get(seq), rows.get(seq)
            if source is not None and row is not None:
                if source.cells != row:
                    self._altered(source, row, newer=seq > seq_at_cut)
            elif source is not None:
                if source.before:
                    self._missing(source)
            elif row is not None and seq > base:
                kind: Kind = "duplicate" if row[8] in settled else "orphan"
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

    def _chain(self, account: Account, rows: dict[int, Cells]) -> None:
        expected, before = 1, (0, 0)
        jumped = False
        for seq in sorted(rows):
            row = rows[seq]
            if seq != expected and not jumped:
                self.breaks.append(hole(account, "ledger", expected, seq))
                jumped = True
            if row[5] < 0 or row[6] < 0:
                place = f"ledger row {seq}"
                self.breaks.append(negative(place, account, row[5], row[6], row[8]))
            if seq == expected:
                changed, after = (row[3], row[4]), (row[5], row[6])
                self.breaks += off_chain(
                    account, seq, f"ledger row {seq}", before, changed, after, row[8]
                )
            expected, before = seq + 1, (row[5], row[6])

    def _reused(self, account: Account, known: Source, other: Source) -> None:
        if known.cells == other.cells:
            return
        self.breaks.append(
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
