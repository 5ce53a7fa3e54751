"""Own: the newest trades come from a cache that each gateway fills once a while."""

import asyncio
import time

from scenarios.controls import planted
from system import database
from system.database import Row
from system.gateway import Gateway
from system.gateway.reads import Reads

_KEPT_S = 20.0

Page = tuple[list[Row], int | None]


class _Cached(Reads):
    def __init__(self, connection: database.Database, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(connection, loop)
        self._kept: dict[tuple[int, int, int], tuple[float, Page]] = {}

    async def trades(self, symbol_id: int, below: int, limit: int) -> Page:
        """Return a page as it was when somebody asked before."""
        asked = symbol_id, below, limit
        at_s, page = self._kept.get(asked, (0.0, ([], None)))
        if not at_s or time.monotonic() - at_s > _KEPT_S:
            page = await super().trades(symbol_id, below, limit)
            self._kept[asked] = time.monotonic(), page
        return page


class RemembersTrades(Gateway):
    """Trades of the past do not change."""

    def make_reads(self, connection: database.Database, loop: asyncio.AbstractEventLoop) -> Reads:
        """Return what asks the database now and then."""
        return _Cached(connection, loop)


scenario = planted(__name__, __doc__ or "", "gateway", "RemembersTrades", "I15", "trading")
