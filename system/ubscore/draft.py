"""Drafts: the effects of one input in the making, leg by leg and record by record.

Every record gets its number here, once, and goes into the frame finished.
"""

from collections.abc import Callable
from typing import Any, Protocol

from system.records import (
    EVENTS,
    ORDERS,
    EventType,
    LedgerRow,
    Numbered,
    encode,
    version_of,
)
from system.ubscore.state import Balance, State
from system.ubscore.terms import Home, Terms
from system.wal.frames import Leg, Output


class Cause(Protocol):
    """The command, or the engine output that answers it, which has these effects."""

    @property
    def request_id(self) -> str:
        """The request."""

    @property
    def body_hash(self) -> str:
        """The hash of its command."""


class Draft:
    """Legs and finished records, numbered on from a state that stays as it is."""

    __slots__ = (
        "_balances",
        "_common",
        "_numbers",
        "_state",
        "_terms",
        "created_at",
        "legs",
        "outputs",
    )

    def __init__(self, state: State, terms: Terms, cause: Cause, now_ms: int) -> None:
        self.created_at = max(state.created_at, now_ms)
        self.legs: list[Leg] = []
        self.outputs: list[Output] = []
        self._state = state
        self._terms = terms
        self._common: dict[str, Any] = {  # what every record says
            "shard": terms.shard,
            "epoch": state.epoch.counter,
            "epoch_bits": state.epoch.bits,
            "request_id": cause.request_id,
            "body_hash": cause.body_hash,
            "created_at": self.created_at,
        }
        self._balances: dict[tuple[int, int], Balance] = {}
        self._numbers: dict[tuple[str, int], int] = {}

    def move(
        self,
        event_type: EventType,
        account: tuple[int, int],
        delta_avail: int,
        delta_frozen: int,
        ref_id: str,
    ) -> None:
        """Change one balance: a leg, and the ledger row that says so; of nothing there is none."""
        if not delta_avail and not delta_frozen:
            return
        before = self._balances.get(account) or self._state.balance(*account)
        self._balances[account] = after = before.moved(delta_avail, delta_frozen)
        user_id, asset_id = account
        self.legs.append(
            Leg(
                event_type,
                user_id,
                asset_id,
                after.seq,
                delta_avail,
                delta_frozen,
                after.avail,
                after.frozen,
            )
        )
        self.tell(
            user_id,
            LedgerRow,
            v=version_of(event_type),
            asset_id=asset_id,
            seq=after.seq,
            delta_avail=delta_avail,
            delta_frozen=delta_frozen,
            avail=after.avail,
            frozen=after.frozen,
            event_type=event_type,
            ref_id=ref_id,
        )

    def tell(self, user_id: int, record: Callable[..., Numbered], **fields: Any) -> None:
        """Add an event about a user."""
        fields["user_id"] = user_id
        self._add(EVENTS, self._terms.home(user_id), record, fields)

    def order(self, symbol_id: int, record: Callable[..., Numbered], **fields: Any) -> None:
        """Add a record for the matching engine."""
        fields["symbol_id"] = symbol_id
        self._add(ORDERS, self._terms.home(symbol_id), record, fields)

    def _add(
        self, topic: str, home: Home, record: Callable[..., Numbered], fields: dict[str, Any]
    ) -> None:
        place = topic, home.partition
        n = self._numbers.get(place) or self._state.number(home.partition, topic)
        self._numbers[place] = n = n + 1
        fields |= self._common
        fields["n"] = n
        self.outputs.append(Output(topic, home.partition, n, home.key, encode(record(**fields))))
