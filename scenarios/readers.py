"""Readers of the gateway: who asks for balances and answers; what all were told is the history.

Connection and clock belong to the stage.
"""

import random
from dataclasses import dataclass, field
from typing import Any, Protocol

from msgspec.structs import replace

from reports.evidence import Answer, Attempt, ClientRead, Listing, Operation
from scenarios.http import Response
from scenarios.workloads import SECOND
from system import assets


class Clock(Protocol):
    """The time a client lives by."""

    @property
    def now(self) -> int:
        """Nanoseconds since the start of the world."""

    def sleep(self, ns: int) -> None:
        """Let time pass."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970, as the client's host believes."""


class Connection(Protocol):
    """One keep-alive connection to a gateway, for one request at a time."""

    def request(
        self, method: str, path: str, key: str, body: bytes, patience_ns: int
    ) -> Response | None:
        """Send one request; None if no answer came within `patience_ns`."""

    def hang_up(self) -> None:
        """Close the connection; an answer that comes later is never seen."""


@dataclass(slots=True)
class History:
    """What all clients of a run asked and were told; `under_way` is still being asked."""

    operations: list[Operation] = field(default_factory=list)
    under_way: dict[str, tuple[Operation, list[Attempt]]] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    reads: list[ClientRead] = field(default_factory=list)
    listings: list[Listing] = field(default_factory=list)
    placed: dict[str, str] = field(default_factory=dict)  # the order id behind each label

    def all(self) -> tuple[Operation, ...]:
        """Return every operation in order of time; nobody knows of those under way."""
        begun = [
            replace(op, attempts=tuple(attempts), outcome=_so_far(attempts)) if attempts else op
            for op, attempts in list(self.under_way.values())
        ]
        known = [*self.operations, *begun]
        return tuple(sorted(known, key=lambda op: (op.invoked_ns, op.client)))


class Reader:
    """Asks the gateway for what stands in the tables."""

    def __init__(
        self,
        name: str,
        *,
        connection: Connection,
        clock: Clock,
        stream: random.Random,
        key: str,
        history: History,
    ) -> None:
        self.name = name
        self.connection = connection
        self.clock = clock
        self.stream = stream
        self.key = key
        self.history = history

    def read_balance(self, user_id: int, *, quiescent: bool = False) -> bool:
        """Read a user's balances, once; false if there was no proper answer."""
        invoked = self.clock.now
        response = self.connection.request(
            "GET", f"/balances/{user_id}", self.key, b"", 12 * SECOND
        )
        if response is None or response.status != 200:
            return False
        for balance in response.json()["balances"]:
            asset = assets.BY_NAME[balance["asset"]]
            self.history.reads.append(
                ClientRead(
                    client=self.name,
                    user_id=user_id,
                    asset_id=asset.id,
                    invoked_ns=invoked,
                    returned_ns=self.clock.now,
                    avail=raw(balance["avail"]),
                    frozen=raw(balance["frozen"]),
                    seq=balance.get("seq"),
                    quiescent=quiescent,
                )
            )
        return True

    def ask(self, user_id: int, request_key: str) -> bool:
        """Ask what became of a request, once; false if there was no proper answer."""
        invoked = self.clock.now
        path = f"/requests/{request_key}?user_id={user_id}"
        response = self.connection.request("GET", path, self.key, b"", 12 * SECOND)
        if response is None or response.status not in (200, 404):
            return False
        answer = response.json()
        self.history.answers.append(
            Answer(
                client=self.name,
                user_id=user_id,
                request_id=request_key,
                invoked_ns=invoked,
                returned_ns=self.clock.now,
                status="not_seen" if response.status == 404 else answer["status"],
                reason=str(answer.get("reason") or ""),
                body_hash=str(answer.get("body_hash") or ""),
            )
        )
        return True


def raw(shown: str) -> int:
    """Return the integer behind an amount, which is always shown with all its digits."""
    return int(shown.replace(".", ""))


def _so_far(attempts: list[Attempt]) -> Any:
    """Judge what is not ended: an acknowledgement stands, nothing else is known."""
    return "ok" if outcome(attempts) == "ok" else "info"


def outcome(attempts: list[Attempt]) -> Any:
    """Judge the attempts: one 2xx is ok; refused is fail only if no other attempt is unknown."""
    if any(200 <= attempt.status < 300 for attempt in attempts):
        return "ok"
    refused = (400, 401, 403, 409, 413, 429)
    return "fail" if all(attempt.status in refused for attempt in attempts) else "info"
