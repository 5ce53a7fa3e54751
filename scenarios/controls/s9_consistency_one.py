"""S9: reads and writes at consistency ONE, the driver's default."""

import asyncio
from dataclasses import replace

from cassandra import ConsistencyLevel

from scenarios.controls import planted
from system.database import Database
from system.gateway import Gateway
from system.gateway.reads import Reads
from system.settlement import Settlement
from system.settlement.ledger import Ledger


class _LedgerAtOne(Ledger):
    def consistency(self) -> int:
        """Ask one replica."""
        return int(ConsistencyLevel.ONE)


class _ReadsAtOne(Reads):
    def consistency(self) -> int:
        """Ask one replica."""
        return int(ConsistencyLevel.ONE)


class WritesAtOne(Settlement):
    """Trusts the first replica that answers."""

    def make_ledger(self, connection: Database) -> Ledger:
        """Return a ledger at ONE."""
        return _LedgerAtOne(connection, self.work.accounts_max)


class ReadsAtOne(Gateway):
    """Shows what any replica says."""

    def make_reads(self, connection: Database, loop: asyncio.AbstractEventLoop) -> Reads:
        """Return reads at ONE."""
        return _ReadsAtOne(connection, loop)


_half = planted(__name__, __doc__ or "", "settlement", "WritesAtOne", "I15", "missed_writes")
scenario = replace(_half, programs=(*_half.programs, ("gateway", f"{__name__}:ReadsAtOne")))
