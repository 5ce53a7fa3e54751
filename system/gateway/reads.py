"""The gateway's questions to the ledger's tables, all at QUORUM.

Two quorums share a replica, and a digest mismatch is repaired before the answer: what a client
has once seen it never sees undone.
"""

import asyncio
from typing import Any

from system import trades
from system.database import FAILURES, QUORUM, Database, Row
from system.gateway.refusals import unread

MAX_SEQ = 2**63 - 1
BUCKETS_MAX = 16  # looked through for one page of trades

USER_ASSETS = "SELECT asset_id FROM {ks}.users_assets WHERE user_id = ?"
PAGE = (
    "SELECT seq, delta_avail, delta_frozen, avail, frozen, event_type, ref_id, created_at "
    "FROM {ks}.balance_ledger WHERE user_id = ? AND asset_id = ? AND seq < ? LIMIT ?"
)
REQUEST = (
    "SELECT body_hash, decision, reason, effects, outcome, expired "
    "FROM {ks}.requests WHERE user_id = ? AND request_id = ?"
)
ORDER = (
    "order_id, symbol_id, side, kind, time_in_force, price, quantity, status, ending, filled, "
    "remaining, locked_asset_id, paid, unlocked, created_at"
)
ORDERS = f"SELECT {ORDER} FROM {{ks}}.orders_by_user WHERE user_id = ? AND created_at < ? LIMIT ?"
ORDERS_SAME_TIME = (
    f"SELECT {ORDER} FROM {{ks}}.orders_by_user "
    "WHERE user_id = ? AND created_at = ? AND order_id < ? LIMIT ?"
)
BUCKETS = "SELECT bucket FROM {ks}.symbols_buckets WHERE symbol_id = ? AND bucket <= ? LIMIT ?"
TRADE = "trade_id, price, quantity, cost, taker_side, created_at"
TRADES = (
    f"SELECT {TRADE} FROM {{ks}}.trades_by_symbol "
    "WHERE symbol_id = ? AND bucket = ? AND trade_number < ? LIMIT ?"
)


class Reads:
    """Asks without blocking the event loop."""

    def __init__(self, database: Database, loop: asyncio.AbstractEventLoop) -> None:
        self._database = database
        self._loop = loop
        consistency = self.consistency()
        self._user_assets = database.prepare(USER_ASSETS, consistency)
        self._page = database.prepare(PAGE, consistency)
        self._request = database.prepare(REQUEST, consistency)
        self._orders = database.prepare(ORDERS, consistency)
        self._orders_same_time = database.prepare(ORDERS_SAME_TIME, consistency)
        self._buckets = database.prepare(BUCKETS, consistency)
        self._trades = database.prepare(TRADES, consistency)

    def consistency(self) -> int:
        """Return the level of every read."""
        return QUORUM

    async def request(self, user_id: int, request_id: str) -> list[Row]:
        """Return the rows of a request key, one per body."""
        return await self._ask(self._request, (user_id, request_id))

    async def page(self, user_id: int, asset_id: int, before: int, limit: int) -> list[Row]:
        """Return the newest rows of an account below a seq."""
        return await self._ask(self._page, (user_id, asset_id, before, limit))

    async def newest(self, user_id: int) -> list[tuple[int, Row]]:
        """Return each asset the user has rows for, with the newest row."""
        assets = sorted(row[0] for row in await self._ask(self._user_assets, (user_id,)))
        pages = await asyncio.gather(
            *(self.page(user_id, asset_id, MAX_SEQ, 1) for asset_id in assets)
        )
        return [(asset_id, page[0]) for asset_id, page in zip(assets, pages, strict=True) if page]

    async def orders(self, user_id: int, before: tuple[int, str] | None, limit: int) -> list[Row]:
        """Return a user's newest orders made before one: (when, order id)."""
        rows: list[Row] = []
        if before is not None:
            rows = await self._ask(self._orders_same_time, (user_id, *before, limit))
        made_at = MAX_SEQ if before is None else before[0]
        if len(rows) < limit:
            rows += await self._ask(self._orders, (user_id, made_at, limit - len(rows)))
        return rows

    async def trades(self, symbol_id: int, below: int, limit: int) -> tuple[list[Row], int | None]:
        """Return a symbol's newest trades below a number, and the bucket where looking ended."""
        newest = trades.bucket_of(below)
        found = await self._ask(self._buckets, (symbol_id, newest, BUCKETS_MAX))
        rows: list[Row] = []
        bucket = None
        for (bucket,) in found:
            rows += await self._ask(self._trades, (symbol_id, bucket, below, limit - len(rows)))
            if len(rows) >= limit:
                break
        return rows, bucket if len(found) == BUCKETS_MAX else None

    async def _ask(self, statement: Any, values: tuple[object, ...]) -> list[Row]:
        answer: asyncio.Future[list[Row]] = self._loop.create_future()

        def finish(rows: list[Row] | None, error: Exception | None) -> None:
            if answer.done():
                return  # nobody waits any more
            if error is None:
                answer.set_result(rows or [])
            else:
                answer.set_exception(error)

        self._database.send(statement, values).add_callbacks(
            lambda rows: self._loop.call_soon_threadsafe(finish, rows, None),
            lambda error: self._loop.call_soon_threadsafe(finish, None, error),
        )
        try:
            return await answer
        except FAILURES as error:
            raise unread(f"the database did not answer: {error}") from error
