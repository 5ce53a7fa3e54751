"""Clients of the gateway: people who ask, wait, and ask again.

A client asks, waits as long as its patience lasts, and asks again with the same key. What it was
told, and when, is the history that checkers judge. Connection and clock belong to the stage.
"""

import random
from dataclasses import dataclass, field
from typing import Any, Protocol

from msgspec.structs import replace

from reports.evidence import Answer, Attempt, ClientRead, Operation
from scenarios import wishes
from scenarios.http import Response
from scenarios.keys import request_id
from scenarios.wishes import Wish
from scenarios.workloads import MILLISECOND, SECOND, Intent
from system import assets

_BACKOFF = 50 * MILLISECOND
_BACKOFF_MAX = 2 * SECOND


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
    placed: dict[str, str] = field(default_factory=dict)  # the order id behind each label

    def all(self) -> tuple[Operation, ...]:
        """Return every operation in order of time; nobody knows of those under way."""
        begun = [
            replace(op, attempts=tuple(attempts), outcome=_so_far(attempts)) if attempts else op
            for op, attempts in list(self.under_way.values())
        ]
        known = [*self.operations, *begun]
        return tuple(sorted(known, key=lambda op: (op.invoked_ns, op.client)))


class Client:
    """Carries out the intents of one client, one after the other."""

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

    def carry_out(self, intents: list[Intent], begin_ns: int) -> None:
        """Do what this client wants, each thing not before its time."""
        for intent in intents:
            self.clock.sleep(max(begin_ns + intent.at_ns - self.clock.now, 0))
            if intent.reads_before:
                self.read_balance(intent.user_id)
            self._ask_for(intent)

    def _ask_for(self, intent: Intent) -> None:
        key = request_id(self.clock.wall_ms(), self.stream)
        wanted = wishes.of(intent, key, self.history.placed)
        begun = replace(
            wanted.operation, client=self.name, attempts=(Attempt(invoked_ns=self.clock.now),)
        )
        if intent.route == "place_order":
            self.history.placed[intent.label] = begun.order_id
        attempts: list[Attempt] = []
        self.history.under_way[key] = (begun, attempts)
        self._until_answered(intent, wanted, attempts)
        done = replace(begun, attempts=tuple(attempts), outcome=_outcome(attempts))
        self.history.operations.append(done)
        del self.history.under_way[key]

    def _until_answered(self, intent: Intent, wish: Wish, attempts: list[Attempt]) -> None:
        backoff = _BACKOFF
        patience = intent.patience_ns
        again = intent.again_ns
        while len(attempts) < intent.attempts:
            attempt = self._attempt(wish, patience)
            attempts.append(attempt)
            if 200 <= attempt.status < 300:
                if not again:
                    break
                self.clock.sleep(again)
                again = 0
                continue
            if attempt.status in (400, 401, 403, 409, 413):
                break
            told = (attempt.retry_after_s or 0) * SECOND
            self.clock.sleep(max(int(backoff * (0.5 + self.stream.random())), told))
            backoff = min(2 * backoff, _BACKOFF_MAX)
            patience = min(2 * patience, 10 * SECOND)

    def _attempt(self, wish: Wish, patience_ns: int) -> Attempt:
        invoked = self.clock.now
        response = self.connection.request(wish.method, wish.path, self.key, wish.body, patience_ns)
        if response is None:
            return Attempt(invoked_ns=invoked)
        reason = response.json().get("reason", "") if response.status >= 300 else ""
        return Attempt(
            invoked_ns=invoked,
            returned_ns=self.clock.now,
            status=response.status,
            reason=str(reason),
            retry_after_s=response.retry_after_s,
        )

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
                    avail=_raw(balance["avail"]),
                    frozen=_raw(balance["frozen"]),
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


def _raw(shown: str) -> int:
    """Return the integer behind a balance, which is always shown with all its digits."""
    return int(shown.replace(".", ""))


def _so_far(attempts: list[Attempt]) -> Any:
    """Judge what is not ended: an acknowledgement stands, nothing else is known."""
    return "ok" if _outcome(attempts) == "ok" else "info"


def _outcome(attempts: list[Attempt]) -> Any:
    """Judge the attempts: one 2xx is ok; refused is fail only if no other attempt is unknown."""
    if any(200 <= attempt.status < 300 for attempt in attempts):
        return "ok"
    refused = (400, 401, 403, 409, 413, 429)
    return "fail" if all(attempt.status in refused for attempt in attempts) else "info"
