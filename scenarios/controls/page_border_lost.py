"""Own: a page of orders begins one order too far, so that the one at the border is on neither."""

import asyncio

from scenarios.controls import planted
from system import database
from system.database import Row
from system.gateway import Gateway
from system.gateway.reads import Reads


class _Skipping(Reads):
    async def orders(self, user_id: int, before: tuple[int, str] | None, limit: int) -> list[Row]:
        """Return a page; of all but the first, the first row is taken for one that was shown."""
        rows = await super().orders(user_id, before, limit)
        return rows if before is None else rows[1:]


class CountsTwice(Gateway):
    """The last of a page is the first of the next."""

    def make_reads(self, connection: database.Database, loop: asyncio.AbstractEventLoop) -> Reads:
        """Return what asks the database, and loses a row at each border."""
        return _Skipping(connection, loop)


scenario = planted(__name__, __doc__ or "", "gateway", "CountsTwice", "I15", "trading")
