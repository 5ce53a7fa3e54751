"""S5: the ledger's sequence is the time of day in milliseconds."""

import time

from scenarios.controls import planted
from system.records import LedgerRow
from system.settlement import Settlement
from system.settlement.accounts import cells
from system.settlement.ledger import AccountKey, Lane, Ledger


class _ByTheClock(Ledger):
    def account_lane(self, key: AccountKey, events: list[LedgerRow]) -> Lane:
        """Write each row under the present millisecond."""
        yield self.insert_asset, key
        for event in events:
            _, *rest = cells(event)
            yield self.insert_row, (*key, time.time_ns() // 1_000_000, *rest)


class Stamps(Settlement):
    """Time only goes forward, and nothing happens twice in a millisecond."""

    def make_ledger(self, connection: object) -> Ledger:
        """Return a ledger that numbers by the clock."""
        return _ByTheClock(connection, self.work.accounts_max)  # type: ignore[arg-type]


scenario = planted(__name__, __doc__ or "", "settlement", "Stamps", "I5")
