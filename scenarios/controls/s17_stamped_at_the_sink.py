"""S17: the sink stamps its rows with its own clock; written again, they differ."""

import time

from scenarios.controls import planted
from system.records import LedgerRow
from system.settlement import Settlement
from system.settlement.accounts import Cells
from system.settlement.ledger import Ledger


class _ByTheClock(Ledger):
    def row(self, event: LedgerRow) -> Cells:
        """Say when the row is written."""
        return (*super().row(event)[:-1], time.time_ns() // 1_000_000)


class StampsRows(Settlement):
    """The time of a row is the time of its row."""

    def make_ledger(self, connection: object) -> Ledger:
        """Return a ledger that stamps."""
        return _ByTheClock(connection, self.work.accounts_max)  # type: ignore[arg-type]


scenario = planted(__name__, __doc__ or "", "settlement", "StampsRows", "I14 I5")
