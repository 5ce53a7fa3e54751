"""S8: the sink reads the newest row, adds, and writes the next one; redelivered, it adds twice."""

from scenarios.controls import planted
from system.records import LedgerRow
from system.settlement import Settlement
from system.settlement.accounts import cells
from system.settlement.ledger import AccountKey, Lane, Ledger


class _Adds(Ledger):
    def account_lane(self, key: AccountKey, events: list[LedgerRow]) -> Lane:
        """Write each change behind whatever is there."""
        yield self.insert_asset, key
        for event in events:
            found = yield self.newest, key
            seq, avail, frozen = (found[0][0], *found[0][3:5]) if found else (0, 0, 0)
            after = avail + event.delta_avail, frozen + event.delta_frozen
            _, *deltas, _, _, kind, ref, created = cells(event)
            yield self.insert_row, (*key, seq + 1, *deltas, *after, kind, ref, created)


class AddsAtTheSink(Settlement):
    """The database knows best what the balance is."""

    def make_ledger(self, connection: object) -> Ledger:
        """Return a ledger that adds."""
        return _Adds(connection, self.work.accounts_max)  # type: ignore[arg-type]


scenario = planted(
    __name__, __doc__ or "", "settlement", "AddsAtTheSink", "I4 I5 I6", "kills_mid_batch"
)
