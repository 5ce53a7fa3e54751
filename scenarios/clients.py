"""Clients of the gateway: people who ask, wait, and ask again.

A client asks, waits as long as its patience lasts, and asks again with the same key. What it was
told, and when, is the history that checkers judge.
"""

from collections.abc import Callable

from msgspec.structs import replace

from reports.evidence import Attempt
from scenarios import listings, wishes
from scenarios.keys import request_id
from scenarios.readers import Reader, outcome
from scenarios.wishes import Wish
from scenarios.workloads import MILLISECOND, SECOND, Intent

_BACKOFF = 50 * MILLISECOND
_BACKOFF_MAX = 2 * SECOND


class Client(Reader):
    """Carries out the intents of one client, one after the other."""

    def carry_out(
        self, intents: list[Intent], begin_ns: int, until: Callable[[int], None] | None = None
    ) -> None:
        """Do what this client wants, each thing not before its time.

        `until` waits for it where the load has a time of its own.
        """
        for intent in intents:
            (until or self._sleep_until)(begin_ns + intent.at_ns)
            for what in intent.looks:
                listings.look(self, what, intent.user_id)
            self._ask_for(intent)

    def _sleep_until(self, ns: int) -> None:
        self.clock.sleep(max(ns - self.clock.now, 0))

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
        done = replace(begun, attempts=tuple(attempts), outcome=outcome(attempts))
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
