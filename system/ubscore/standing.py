"""Standing orders: what each open order still holds frozen, and the cancels under way.

Part of the state: changed by frames alone. A closed order is remembered as such for as long as its
request key is; a cancel's key is not forgotten before its outcome is known.
"""

import msgspec

from system.errors import Halt
from system.ubscore.keys import RequestKeys
from system.wal.frames import Change

Key = tuple[int, str]  # user, request


class Order(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An order, and what became of its lock; amounts are raw units of `asset_id`."""

    user_id: int
    request_id: str
    symbol_id: int
    asset_id: int
    lock: int
    paid: int = 0
    unlocked: int = 0
    open: bool = True

    @property
    def rest(self) -> int:
        """What it still holds frozen."""
        return self.lock - self.paid - self.unlocked


class Cancelling(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An accepted cancel without outcome; `overdue` once its key's time has passed."""

    order_id: str
    body_hash: str
    overdue: bool = False


class Contents(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a snapshot holds of them."""

    orders: list[tuple[str, Order]]
    cancels: list[tuple[int, str, Cancelling]]


class Standing:
    """The orders and pending cancels of one shard."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.cancels: dict[Key, Cancelling] = {}
        self._of: dict[Key, str] = {}  # the order that a remembered key has placed

    def place(self, order_id: str, order: Order) -> None:
        """Take in a new order."""
        self.orders[order_id] = order
        self._of[order.user_id, order.request_id] = order_id

    def cancel(self, key: Key, cancelling: Cancelling) -> None:
        """Take in an accepted cancel."""
        self.cancels[key] = cancelling

    def change(self, change: Change) -> None:
        """Take in what an engine output did to an order."""
        order = self.orders[change.order_id]
        after = msgspec.structs.replace(
            order, paid=change.paid, unlocked=change.unlocked, open=change.open
        )
        if after.rest < 0 or (after.rest and not after.open):
            raise Halt("log_inconsistent", f"order {change.order_id} cannot end as {after}")
        if after.open or (after.user_id, after.request_id) in self._of:
            self.orders[change.order_id] = after
        else:
            del self.orders[change.order_id]

    def end(self, key: Key) -> bool:
        """Take in a cancel's outcome; say whether its key may be forgotten now."""
        return self.cancels.pop(key).overdue

    def forget(self, key: Key) -> bool:
        """Forget a key's closed order; say whether the key itself may be forgotten."""
        order_id = self._of.pop(key, None)
        if order_id is not None and not self.orders[order_id].open:
            del self.orders[order_id]
        cancelling = self.cancels.get(key)
        if cancelling is not None:
            self.cancels[key] = msgspec.structs.replace(cancelling, overdue=True)
        return cancelling is None

    @property
    def contents(self) -> Contents:
        """The orders and cancels at rest."""
        cancels = [(*key, cancelling) for key, cancelling in sorted(self.cancels.items())]
        return Contents(sorted(self.orders.items()), cancels)

    @property
    def overdue(self) -> list[Key]:
        """The keys of cancels under way that are remembered beyond their time."""
        return [key for key, cancelling in self.cancels.items() if cancelling.overdue]

    def resume(self, contents: Contents, keys: RequestKeys) -> None:
        """Take over orders and cancels; `keys` are those that are remembered."""
        self.orders = dict(contents.orders)
        self.cancels = {(user, request): one for user, request, one in contents.cancels}
        self._of = {
            (order.user_id, order.request_id): order_id
            for order_id, order in self.orders.items()
            if (order.request_id, order.user_id) in keys
        }
