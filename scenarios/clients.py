"""Clients of the gateway in a simulated world: a small HTTP/1.1 client, and people who use it.

A client asks, waits as long as its patience lasts, and asks again with the same key. What it was
told, and when, is the history that checkers judge.
"""

import json
from dataclasses import dataclass, field
from typing import Any

import httptools

from reports.evidence import Answer, Attempt, ClientRead, Operation
from scenarios.keys import request_id
from scenarios.workloads import Intent
from sim.kernel import MILLISECOND, SECOND, Kernel
from sim.network import End
from sim.process import Process
from sim.world import World
from system import assets
from system.records import body_hash

_BACKOFF = 50 * MILLISECOND
_BACKOFF_MAX = 2 * SECOND


@dataclass(slots=True)
class Response:
    """A complete HTTP answer."""

    status: int
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON, {} if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return {}


class Connection:
    """One keep-alive connection to a gateway, for one request at a time."""

    def __init__(self, process: Process, host: str, port: int) -> None:
        self.process = process
        self.kernel: Kernel = process.kernel
        self.host, self.port = host, port
        self.end: End | None = None
        self._parser: Any = None
        self._body = b""
        self._answer: Response | None = None
        self._done = self.kernel.event()

    def request(
        self, method: str, path: str, key: str, body: bytes, patience_ns: int
    ) -> Response | None:
        """Send one request; None if no answer came within `patience_ns`."""
        deadline = self.kernel.now + patience_ns
        if self.end is None and not self._connect(deadline):
            return None
        assert self.end is not None
        self._answer, self._body, self._done = None, b"", self.kernel.event()
        self._parser = httptools.HttpResponseParser(self)
        head = (
            f"{method} {path} HTTP/1.1\r\nhost: {self.host}\r\nauthorization: Bearer {key}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        message = head.encode() + body
        self.end.send(message, len(message))
        self.kernel.wait(self._done, max(deadline - self.kernel.now, 0))
        if self._answer is None:
            self.hang_up()
        return self._answer

    def hang_up(self) -> None:
        """Close the connection; an answer that comes later is never seen."""
        if self.end is not None:
            self.end.close()
            self.end = None

    def _connect(self, deadline: int) -> bool:
        done = self.kernel.event()
        alive = True

        def connected(end: End) -> None:
            if not alive:
                end.close()
                return
            self.end = end
            end.on_message, end.on_close = self._received, self._lost
            done.succeed()

        def failed(_: OSError) -> None:
            done.succeed()

        self.process.host.network.connect(
            self.process.host.name,
            self.host,
            self.port,
            connected,
            failed,
            self.process,
            "http",
        )
        self.kernel.wait(done, max(deadline - self.kernel.now, 0))
        alive = False
        return self.end is not None

    def _received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def _lost(self, _: OSError | None) -> None:
        self.end = None
        if not self._done.triggered:
            self._done.succeed()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body (called by the parser)."""
        self._body += body

    def on_message_complete(self) -> None:
        """Hand over the answer (called by the parser)."""
        self._answer = Response(self._parser.get_status_code(), self._body)
        if not self._done.triggered:
            self._done.succeed()


@dataclass(slots=True)
class History:
    """What all clients of a run asked and were told."""

    operations: list[Operation] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    reads: list[ClientRead] = field(default_factory=list)


class Client:
    """Carries out the intents of one client, one after the other."""

    def __init__(
        self,
        world: World,
        process: Process,
        name: str,
        gateway: tuple[str, int],
        key: str,
        history: History,
    ) -> None:
        self.world, self.process, self.name = world, process, name
        self.kernel = world.kernel
        self.connection = Connection(process, *gateway)
        self.key = key
        self.history = history
        self.stream = world.kernel.stream(f"client/{name}")

    def carry_out(self, intents: list[Intent], begin_ns: int) -> None:
        """Do what this client wants, each thing not before its time."""
        for intent in intents:
            self.kernel.sleep(max(begin_ns + intent.at_ns - self.kernel.now, 0))
            if intent.reads_before:
                self.read_balance(intent.user_id)
            self._transfer(intent)

    def _transfer(self, intent: Intent) -> None:
        key = request_id(self.process.host.clock.wall_ns() // MILLISECOND, self.stream)
        asset = assets.BY_NAME[intent.asset]
        amount = assets.parse(intent.amount, asset)
        body = json.dumps(
            {
                "request_id": key,
                "user_id": intent.user_id,
                "asset": intent.asset,
                "amount": intent.amount,
            }
        ).encode()
        attempts = self._until_answered(intent, f"/{intent.route}", body)
        self.history.operations.append(
            Operation(
                client=self.name,
                kind=intent.route,
                user_id=intent.user_id,
                asset_id=asset.id,
                amount=amount,
                request_id=key,
                body_hash=body_hash(intent.route, intent.user_id, key, asset.id, amount),
                attempts=tuple(attempts),
                outcome=_outcome(attempts),
            )
        )

    def _until_answered(self, intent: Intent, path: str, body: bytes) -> list[Attempt]:
        attempts: list[Attempt] = []
        backoff = _BACKOFF
        patience = intent.patience_ns
        again = intent.again_ns
        while len(attempts) < intent.attempts:
            attempt = self._attempt(path, body, patience)
            attempts.append(attempt)
            if 200 <= attempt.status < 300:
                if not again:
                    break
                self.kernel.sleep(again)
                again = 0
                continue
            if attempt.status in (400, 401, 403, 409, 413):
                break
            self.kernel.sleep(int(backoff * (0.5 + self.stream.random())))
            backoff = min(2 * backoff, _BACKOFF_MAX)
            patience = min(2 * patience, 10 * SECOND)
        return attempts

    def _attempt(self, path: str, body: bytes, patience_ns: int) -> Attempt:
        invoked = self.kernel.now
        response = self.connection.request("POST", path, self.key, body, patience_ns)
        if response is None:
            return Attempt(invoked_ns=invoked)
        reason = response.json().get("reason", "") if response.status >= 300 else ""
        return Attempt(
            invoked_ns=invoked,
            returned_ns=self.kernel.now,
            status=response.status,
            reason=str(reason),
        )

    def read_balance(self, user_id: int, *, quiescent: bool = False) -> bool:
        """Read a user's balances, once; false if there was no proper answer."""
        invoked = self.kernel.now
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
                    returned_ns=self.kernel.now,
                    avail=_raw(balance["avail"]),
                    frozen=_raw(balance["frozen"]),
                    seq=balance.get("seq"),
                    quiescent=quiescent,
                )
            )
        return True

    def ask(self, user_id: int, request_key: str) -> bool:
        """Ask what became of a request, once; false if there was no proper answer."""
        invoked = self.kernel.now
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
                returned_ns=self.kernel.now,
                status="not_seen" if response.status == 404 else answer["status"],
                reason=str(answer.get("reason") or ""),
                body_hash=str(answer.get("body_hash") or ""),
            )
        )
        return True


def _raw(shown: str) -> int:
    """Return the integer behind a balance, which is always shown with all its digits."""
    return int(shown.replace(".", ""))


def _outcome(attempts: list[Attempt]) -> Any:
    """Judge the attempts: one 2xx is ok; refused is fail only if no other attempt is unknown."""
    if any(200 <= attempt.status < 300 for attempt in attempts):
        return "ok"
    refused = (400, 401, 403, 409, 413, 429)
    return "fail" if all(attempt.status in refused for attempt in attempts) else "info"
