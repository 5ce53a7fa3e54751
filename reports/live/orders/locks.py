"""Locks: what is frozen of an account is what its open orders still need, at each frame of a log.

Memory grows with the orders that are open at a time, not with all there were. A log that begins
above LSN 1 does not say what was open before; then nothing is compared.
"""

from collections.abc import Iterable
from typing import NamedTuple

from reports.amounts import decimal
from reports.breaks import Break
from reports.live.listed import Listed
from reports.live.sources import Account
from reports.naming import account_name
from system.records import ORDERS, ValidatedOrder, decode_validated
from system.wal.frames import EngineFrame, Leg, OrderFrame
from system.wal.packing import Frame


class Lock(NamedTuple):
    """An order's lock: how much it was, and how much of it is left."""

    account: Account
    amount: int
    rest: int


class Locks:
    """One shard's open orders, and what its accounts have frozen."""

    def __init__(self, most: int) -> None:
        self.breaks = Listed(most, "accounts with other amounts frozen than orders need")
        self.checked = 0
        self._orders: dict[str, Lock] = {}  # the open ones
        self._needed: dict[Account, int] = {}
        self._accused: set[Account] = set()

    def placed(self, frame: Frame, body: OrderFrame) -> None:
        """Take in the frame of an order or a cancel."""
        for output in body.outputs:
            record = decode_validated(output.value) if output.topic == ORDERS else None
            if isinstance(record, ValidatedOrder):
                self._lock(frame, body, record)
        self.moved(frame, body.legs)

    def _lock(self, frame: Frame, body: OrderFrame, order: ValidatedOrder) -> None:
        buys = order.side == "buy"
        amount = order.price * (order.quantity // order.lot) if buys else order.quantity
        account = order.user_id, order.quote_asset_id if buys else order.base_asset_id
        said = [
            ((leg.user_id, leg.asset_id), leg.delta_avail, leg.delta_frozen)
            for leg in body.legs
            if leg.event_type == "lock"
        ]
        if said != [(account, -amount, amount)]:
            self._break("LOCK_DIFFERS", frame, account, amount, sum(lock[2] for lock in said))
        self._orders[order.order_id] = Lock(account, amount, amount)
        self._need(account, amount)

    def filled(self, frame: Frame, body: EngineFrame) -> None:
        """Take in the frame of an engine output."""
        for change in body.changes:
            lock = self._orders.get(change.order_id)
            if lock is None:
                continue
            rest = lock.amount - change.paid - change.unlocked if change.open else 0
            self._need(lock.account, rest - lock.rest)
            if change.open:
                self._orders[change.order_id] = lock._replace(rest=rest)
            else:
                del self._orders[change.order_id]
        self.moved(frame, body.legs)

    def moved(self, frame: Frame, legs: Iterable[Leg]) -> None:
        """Take in legs, and hold the accounts against their orders."""
        touched = {(leg.user_id, leg.asset_id): leg.frozen for leg in legs}
        for account, frozen in touched.items():
            self.checked += 1
            needed = self._needed.get(account, 0)
            if frozen != needed and account not in self._accused:
                self._accused.add(account)
                self._break("FROZEN_DIFFERS", frame, account, needed, frozen)

    def _need(self, account: Account, more: int) -> None:
        """Keep what the orders of an account need, if they need something."""
        needed = self._needed.get(account, 0) + more
        if needed:
            self._needed[account] = needed
        else:
            self._needed.pop(account, None)

    def _break(self, code: str, frame: Frame, account: Account, expected: int, found: int) -> None:
        user, asset = account
        self.breaks.add(
            Break(
                invariant="I10",
                code=code,
                where=f"{account_name(account)}, {frame.file}@{frame.offset} (LSN {frame.lsn})",
                expected=decimal(expected, asset),
                found=decimal(found, asset),
                amount=found - expected,
                asset_id=asset,
                user_id=user,
                cause="what is frozen is not what open orders still need",
            )
        )
