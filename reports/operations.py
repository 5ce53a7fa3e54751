"""What clients did and what they were told: the only part of a run that a user sees."""

from typing import Literal

from reports.happenings import Record

Outcome = Literal["ok", "fail", "info"]


OperationKind = Literal["transfer_in", "transfer_out", "place_order", "cancel", "read"]


AnswerStatus = Literal["pending", "done", "rejected", "not_seen"]


class Attempt(Record, frozen=True, kw_only=True):
    """One HTTP request of an operation; status 0 means that no answer came.

    `retry_after_s` is when the client was told to come back, if it was.
    """

    invoked_ns: int
    returned_ns: int | None = None
    status: int = 0
    reason: str = ""
    retry_after_s: int | None = None


class Operation(Record, frozen=True, kw_only=True):
    """What a client wanted once, and every attempt it made with the same key.

    An order's amount is what it may lock, of `asset_id`; a cancel has none.

    ``ok``: acknowledged (202 or, for a read, 200). ``fail``: refused, and nothing may have
    happened. ``info``: nobody knows. ``body_hash`` is empty for reads.
    """

    client: str
    kind: OperationKind
    user_id: int
    asset_id: int = 0
    amount: int = 0
    request_id: str = ""
    body_hash: str = ""
    order_id: str = ""
    attempts: tuple[Attempt, ...] = ()
    outcome: Outcome

    @property
    def invoked_ns(self) -> int:
        """When the first attempt began."""
        return self.attempts[0].invoked_ns if self.attempts else 0

    @property
    def acknowledged_ns(self) -> int | None:
        """When the first 2xx answer arrived, if one did."""
        for attempt in self.attempts:
            if 200 <= attempt.status < 300 and attempt.returned_ns is not None:
                return attempt.returned_ns
        return None

    @property
    def status(self) -> int:
        """The status code of the last attempt."""
        return self.attempts[-1].status if self.attempts else 0

    @property
    def reason(self) -> str:
        """The reason code of the last attempt."""
        return self.attempts[-1].reason if self.attempts else ""


class Answer(Record, frozen=True, kw_only=True):
    """What ``GET /requests/{request_id}`` told a client; status 404 is ``not_seen``."""

    client: str
    user_id: int
    request_id: str
    invoked_ns: int
    returned_ns: int
    status: AnswerStatus
    reason: str = ""
    body_hash: str = ""


class ClientRead(Record, frozen=True, kw_only=True):
    """A balance a client saw; ``seq`` is None where the answer does not show it.

    An account without rows is seen as ``seq=0, avail=0, frozen=0``. ``quiescent`` marks reads
    made after the last operation had ended and every program was healthy again.
    """

    client: str
    user_id: int
    asset_id: int
    invoked_ns: int
    returned_ns: int
    avail: int
    frozen: int
    seq: int | None = None
    quiescent: bool = False


class ShownOrder(Record, frozen=True, kw_only=True):
    """An order as a client was shown it; amounts and prices as the integers they stand for."""

    order_id: str
    symbol_id: int
    side: str
    kind: str
    time_in_force: str
    price: int
    quantity: int
    status: str
    ending: str | None
    filled: int
    remaining: int
    locked_asset_id: int
    paid: int
    unlocked: int
    created_at: int


class ShownTrade(Record, frozen=True, kw_only=True):
    """A trade as a client was shown it."""

    trade_id: str
    price: int
    quantity: int
    cost: int
    taker_side: str
    created_at: int


class Listing(Record, frozen=True, kw_only=True):
    """What a client saw of a user's orders or a symbol's trades, all pages together.

    `path` is where it asked; ``whole`` if it went on to the last page.
    """

    client: str
    path: str
    invoked_ns: int
    returned_ns: int
    orders: tuple[ShownOrder, ...] = ()
    trades: tuple[ShownTrade, ...] = ()
    whole: bool = True
    quiescent: bool = False
