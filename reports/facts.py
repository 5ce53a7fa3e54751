"""Facts: what an event has to say about its request, and what a row of `requests` says."""

from collections.abc import Iterator
from typing import Protocol

import msgspec

from system import effects
from system.records import CancelAccepted, CancelEnded, Event, LedgerRow, decides

# user, request, body hash, then what is told: done, rejected, accepted, ended or expired; the
# reason or how a cancel ended; which effects
Fact = tuple[int, str, str, str, str, tuple[tuple[str, int, int, int, int, int, int], ...]]


class Told(Protocol):
    """A row of `requests`, wherever it comes from."""

    @property
    def user_id(self) -> int: ...
    @property
    def request_id(self) -> str: ...
    @property
    def body_hash(self) -> str: ...
    @property
    def decision(self) -> str | None: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def effects(self) -> str | None: ...
    @property
    def outcome(self) -> str | None: ...
    @property
    def expired(self) -> bool | None: ...


def fact_of(event: Event) -> Fact | None:
    """Return what an event has to say about its request; None if it decides none."""
    if not event.request_id or not decides(event):
        return None
    who = event.user_id, event.request_id, event.body_hash
    if isinstance(event, LedgerRow):
        effect = (
            *(event.event_type, event.asset_id, event.seq),
            *(event.delta_avail, event.delta_frozen, event.avail, event.frozen),
        )
        return (*who, "done", "", (effect,))
    if isinstance(event, CancelEnded):
        return (*who, "ended", event.outcome, ())
    if isinstance(event, CancelAccepted):
        return (*who, "accepted", "", ())
    if event.reason == "expired":
        return (*who, "expired", "", ())
    return (*who, "rejected", event.reason, ())


def facts_of(row: Told) -> Iterator[Fact]:
    """Yield what a row of the table says."""
    who = row.user_id, row.request_id, row.body_hash
    if row.decision is not None or not (row.expired or row.outcome):
        yield (*who, row.decision or "nothing", row.reason or "", _effects(row.effects))
    if row.outcome:
        yield (*who, "ended", row.outcome, ())
    if row.expired:
        yield (*who, "expired", "", ())


def _effects(text: str | None) -> tuple[tuple[str, int, int, int, int, int, int], ...]:
    try:
        return tuple(
            (e.event_type, e.asset_id, e.seq, e.delta_avail, e.delta_frozen, e.avail, e.frozen)
            for e in effects.decode(text)
        )
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ((f"unreadable: {text}", 0, 0, 0, 0, 0, 0),)
