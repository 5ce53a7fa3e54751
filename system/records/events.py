"""Balance events: what UBSCore decided, and every ledger row it made; keyed by user."""

from typing import Literal, get_args

from system.records.fields import ORDERS_SINCE, Numbered, OrderVersion
from system.records.reading import Reader

EVENTS = "balance.events"

TransferType = Literal["deposit", "withdraw"]
OrderType = Literal["lock", "unlock", "trade_debit", "trade_credit", "fee"]
EventType = TransferType | OrderType

TransferReason = Literal[
    "insufficient_balance", "unknown_account", "expired", "overflow", "request_id_reused"
]
OrderReason = Literal["unknown_symbol", "bad_terms", "unknown_order", "order_closed"]
Reason = TransferReason | OrderReason

CancelOutcome = Literal["done", "order_closed"]

DECIDING: tuple[EventType, ...] = ("deposit", "withdraw", "lock")
_ORDERS_ONLY = frozenset((*get_args(OrderType), *get_args(OrderReason)))


class LedgerRow(Numbered, frozen=True, kw_only=True, tag="row"):
    """One ledger row; a row of a type in `DECIDING` is also the decision about its request.

    The others come from an engine output, and ``request_id`` is then that of the order or cancel
    which the output answers, perhaps another user's. ``seq`` numbers the rows of (user, asset).
    ``ref_id`` is the request of a transfer, the order of a lock or unlock, the trade of a debit,
    credit or fee. ``created_at`` is milliseconds since the epoch, stamped once.
    """

    user_id: int
    asset_id: int
    seq: int
    delta_avail: int
    delta_frozen: int
    avail: int
    frozen: int
    event_type: EventType
    ref_id: str
    request_id: str
    body_hash: str
    created_at: int

    def __post_init__(self) -> None:
        if self.v < ORDERS_SINCE and self.event_type in _ORDERS_ONLY:
            raise _too_old(self.event_type, self.v)


class Rejected(Numbered, frozen=True, kw_only=True, tag="rejected"):
    """A command that changed nothing, and why."""

    user_id: int
    request_id: str
    body_hash: str
    reason: Reason
    created_at: int

    def __post_init__(self) -> None:
        if self.v < ORDERS_SINCE and self.reason in _ORDERS_ONLY:
            raise _too_old(self.reason, self.v)


class CancelAccepted(Numbered, frozen=True, kw_only=True, tag="cancel_accepted"):
    """A cancel that went on to the matching engine; its outcome is pending."""

    v: OrderVersion = ORDERS_SINCE
    user_id: int
    request_id: str
    body_hash: str
    order_id: str
    created_at: int


class CancelEnded(Numbered, frozen=True, kw_only=True, tag="cancel_ended"):
    """What became of an accepted cancel: done if it took the order's rest out of the book.

    Otherwise the order was closed before: the cancel is rejected after all.
    """

    v: OrderVersion = ORDERS_SINCE
    user_id: int
    request_id: str
    body_hash: str
    order_id: str
    outcome: CancelOutcome
    created_at: int


Event = LedgerRow | Rejected | CancelAccepted | CancelEnded

decode_event = Reader[Event](Event)


def decides(event: Event) -> bool:
    """Say whether an event is the decision about the request it names."""
    return not isinstance(event, LedgerRow) or event.event_type in DECIDING


def version_of(word: EventType | Reason) -> int:
    """Return the lowest format version that has this event type or reason."""
    return ORDERS_SINCE if word in _ORDERS_ONLY else 1


def _too_old(word: EventType | Reason, v: int) -> ValueError:
    return ValueError(f"{word} came with format version {ORDERS_SINCE}, not {v}")
