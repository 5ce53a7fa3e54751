"""S3: rows are written in parallel, and a restart takes the highest one for the mark."""

from scenarios.controls import planted
from system.records import EngineOutput, Event, LedgerRow
from system.settlement import Settlement
from system.settlement.accounts import cells
from system.settlement.ledger import AccountKey, Lane, Ledger


class _Parallel(Ledger):
    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.marks: dict[AccountKey, int] = {}

    def forget(self) -> None:
        """Read the marks again after an assignment."""
        super().forget()
        self.marks.clear()

    def mark_lanes(self, events: list[Event]) -> list[Lane]:
        """Return the lanes that look how far accounts have come."""
        keys = {(e.user_id, e.asset_id): None for e in events if isinstance(e, LedgerRow)}
        return [self._mark(key) for key in keys if key not in self.marks]

    def _mark(self, key: AccountKey) -> Lane:
        found = yield self.newest, key
        self.marks[key] = found[0][0] if found else 0

    def account_lanes(self, events: object) -> list[Lane]:
        """Return a lane for each row: nobody waits for anybody."""
        return [self._row(event) for event in events if isinstance(event, LedgerRow)]  # type: ignore[attr-defined]

    def _row(self, event: LedgerRow) -> Lane:
        key = event.user_id, event.asset_id
        if event.seq > self.marks[key]:
            if event.seq == 1:
                yield self.insert_asset, key
            yield self.insert_row, (*key, *cells(event))


class WritesInParallel(Settlement):
    """What is in the database need not be written again."""

    ledger: _Parallel

    def make_ledger(self, connection: object) -> Ledger:
        """Return a ledger that writes all rows at once."""
        return _Parallel(connection, self.work.accounts_max)

    def write(self, records: list[Event | EngineOutput]) -> None:
        """Look for the marks, then write what lies above them."""
        events = [record for record in records if not isinstance(record, EngineOutput)]
        self.writer.drive(self.ledger.mark_lanes(events))
        super().write(records)


scenario = planted(
    __name__, __doc__ or "", "settlement", "WritesInParallel", "I5 I12", "dead_coordinators"
)
