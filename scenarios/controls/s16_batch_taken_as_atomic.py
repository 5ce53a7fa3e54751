"""S16: rows of many partitions are written as one batch, which is taken to be there as a whole."""

from typing import Any

from cassandra.query import BatchStatement, BatchType

from scenarios.controls import planted
from system.database import QUORUM
from system.records import EngineOutput, Event, LedgerRow, decides
from system.settlement import Settlement
from system.settlement.accounts import cells
from system.settlement.ledger import Lane, Ledger, Statement, decision
from system.settlement.writer import Waiting, Writer


class _Together(Writer):
    ledger: Ledger

    def unknown(self, lane: Lane, statement: Statement, error: Exception, waiting: Waiting) -> None:
        """Look whether the first row is there: then all of them are."""
        if isinstance(statement[0], BatchStatement):
            lane = self._looking(statement)
            statement = next(lane)
        super().unknown(lane, statement, error, waiting)

    def whole(self, events: list[Event]) -> Lane:
        """Write rows and answers at once."""
        batch: Any = BatchStatement(BatchType.UNLOGGED, consistency_level=QUORUM)
        rows = [event for event in events if isinstance(event, LedgerRow)]
        for row in rows:
            if row.seq == 1:
                batch.add(self.ledger.insert_asset, (row.user_id, row.asset_id))
            batch.add(self.ledger.insert_row, (row.user_id, row.asset_id, *cells(row)))
        for event in filter(decides, events):
            key = event.user_id, event.request_id, event.body_hash
            batch.add(self.ledger.insert_request, (*key, *decision(event)))
        batch.first = (rows[0].user_id, rows[0].asset_id, rows[0].seq) if rows else None
        yield batch, ()

    def _looking(self, statement: Statement) -> Lane:
        batch = statement[0]
        found = (yield self.ledger.stored, batch.first) if batch.first else []
        if not found:
            yield statement


class WritesTogether(Settlement):
    """One statement is one statement."""

    writer: _Together

    def make_writer(self) -> Writer:
        """Return a writer that knows what became of a batch."""
        return _Together(self.ledger, self.log, self.work.concurrency, self.pause)

    def write(self, records: list[Event | EngineOutput]) -> None:
        """Write what all events say as one batch, then the outputs."""
        events = [record for record in records if not isinstance(record, EngineOutput)]
        if events:
            self.writer.drive([self.writer.whole(events)])
        super().write([record for record in records if isinstance(record, EngineOutput)])


scenario = planted(
    __name__, __doc__ or "", "settlement", "WritesTogether", "I16 I5 I3 I12", "cut_short"
)
