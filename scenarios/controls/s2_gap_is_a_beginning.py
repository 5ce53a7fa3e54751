"""S2: a record beyond a gap is taken for a new beginning; what is missing is not waited for."""

from typing import Any

from confluent_kafka import Consumer, TopicPartition
from msgspec.structs import replace

from scenarios.controls import planted
from scenarios.controls._altering import GapsPassedOver
from system.holes import Verdict
from system.numbering import Expected, Numbering
from system.records import LedgerRow, Numbered
from system.settlement import Settlement
from system.settlement.accounts import Account, Cells
from system.settlement.ledger import AccountKey, Lane, Ledger


class _Lenient(Numbering):
    def judge(self, record: Numbered, offset: int, append_time_ms: int) -> Verdict:
        """Expect whatever comes."""
        known = self.shards.get(record.shard, Expected())
        if record.n > known.n:
            self.shards[record.shard] = replace(known, n=record.n)
        return super().judge(record, offset, append_time_ms)


class _Trusting(Account):
    def advance(self, row: Cells) -> None:
        """Begin anew where the row does."""
        self.seq, self.avail, self.frozen = row[0], row[3], row[4]


class _LedgerOfAnyRows(Ledger):
    def account_lane(self, key: AccountKey, events: list[LedgerRow]) -> Lane:
        """Write the rows that have come, whatever lies between them."""
        if key not in self.accounts:
            found = yield self.newest, key
            newest: Any = found[0] if found else None
            self.accounts[key] = _Trusting(f"user {key[0]}, asset {key[1]}", newest)
        yield from super().account_lane(key, events)


class TakesWhatComes(Settlement):
    """Better a late row than none."""

    def make_ledger(self, connection: object) -> Ledger:
        """Return a ledger that has no expectations."""
        return _LedgerOfAnyRows(connection, self.work.accounts_max)  # type: ignore[arg-type]

    def assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Begin at the commits, and wherever records go on."""
        super().assigned(consumer, partitions)
        for place, partition in self.partitions.items():
            found = partition.numbering
            if isinstance(found, Numbering):
                found = _Lenient(found.where, found.shards, found.hole_ms_max)
            self.partitions[place] = GapsPassedOver(place, partition.offset, found)


scenario = planted(__name__, __doc__ or "", "settlement", "TakesWhatComes", "I5", "event_gap")
