"""Answers to what clients ask about users, accounts and requests."""

from typing import Any

from system import trades
from system.gateway import answers, inputs
from system.gateway.credentials import Caller
from system.gateway.reads import MAX_SEQ, Reads
from system.gateway.refusals import Refused

PAGE_MAX = 500


class Questions:
    """Checks who asks for what, reads, and shows the rows."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads

    async def request(self, caller: Caller, request_id: str, user_id: str | None) -> dict[str, Any]:
        """Tell what became of a request."""
        named = None if user_id is None else inputs.number(user_id, "user_id")
        subject = caller.subject(named)
        key = inputs.request_id(request_id)
        rows = await self._reads.request(subject, key)
        if not rows:
            raise Refused(
                404, "not_seen", "not settled yet, or never received: repeat with the same key"
            )
        return answers.request(key, rows)

    async def balances(self, caller: Caller, user_id: str) -> dict[str, Any]:
        """Tell a user's balances."""
        subject = inputs.number(user_id, "user_id")
        caller.sees(subject)
        newest = await self._reads.newest(subject)
        return {
            "user_id": subject,
            "balances": [answers.balance(asset_id, row) for asset_id, row in newest],
        }

    async def ledger(
        self, caller: Caller, user_id: str, asset: str, before: str, limit: str
    ) -> dict[str, Any]:
        """Tell the rows of an account, newest first, a page at a time."""
        subject = inputs.number(user_id, "user_id")
        caller.sees(subject)
        asset_id = inputs.asset(asset).id
        size = inputs.number(limit, "limit", PAGE_MAX)
        below = inputs.number(before, "before") if before else MAX_SEQ
        rows = await self._reads.page(subject, asset_id, below, size)
        return {
            "user_id": subject,
            "asset": asset,
            "rows": [answers.entry(asset_id, row) for row in rows],
            "next_before": rows[-1][0] if len(rows) == size and rows[-1][0] > 1 else None,
        }

    async def orders(self, caller: Caller, user_id: str, before: str, limit: str) -> dict[str, Any]:
        """Tell a user's orders, newest first, a page at a time."""
        subject = inputs.number(user_id, "user_id")
        caller.sees(subject)
        size = inputs.number(limit, "limit", PAGE_MAX)
        below = inputs.orders_before(before) if before else None
        rows = await self._reads.orders(subject, below, size)
        full = len(rows) == size
        return {
            "user_id": subject,
            "orders": [answers.order(row) for row in rows],
            "next_before": f"{rows[-1][-1]}-{rows[-1][0]}" if full else None,
        }

    async def trades(self, symbol: str, before: str, limit: str) -> dict[str, Any]:
        """Tell a symbol's trades, newest first, a page at a time."""
        of = inputs.symbol(symbol)
        size = inputs.number(limit, "limit", PAGE_MAX)
        below = inputs.trades_before(before, of) if before else MAX_SEQ
        rows, bucket = await self._reads.trades(of.id, below, size)
        last = rows[-1][0] if len(rows) == size else None
        if last is None and bucket:  # there may be more in buckets further down
            last = f"{of.id}-{bucket * trades.BUCKET}-1"
        return {
            "symbol": of.name,
            "trades": [answers.trade(of, row) for row in rows],
            "next_before": last,
        }
