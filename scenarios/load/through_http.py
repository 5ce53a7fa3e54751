"""Load over HTTP: many users behind a pool of connections, each request sent at its time.

A request that finds no free connection waits for one, and the wait counts. What was refused for
now (429, 5xx), timed out or lost its connection is repeated with the same key.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from scenarios import http
from scenarios.backends.base import Address
from scenarios.http import Incoming, Response
from scenarios.load.requests import Requests
from scenarios.load.samples import OK, REFUSED, Samples
from scenarios.load.sending import Burst, Sender

_SECOND = 10**9
_PATIENCE_S = 5.0
_SWEEP_S = 0.1
_BACKOFF_S, _BACKOFF_MAX_S = 0.05, 2.0
_CONNECT_MAX_S = 0.5
_ATTEMPTS = 12
_AT_ONCE = 50
_STOP_S = 0.1  # until a stop is noticed
_LAST_S = 30.0  # without any answer, after the last request
_DEFINITE = (400, 401, 403, 409, 413)


@dataclass(slots=True)
class _Asked:
    """One request under way."""

    number: int
    method: str
    path: str
    body: bytes
    attempts: int = 0


class _Line(asyncio.Protocol):
    """One keep-alive connection to one gateway, for one request at a time."""

    def __init__(self, pool: "_Pool", address: Address, failures: int) -> None:
        self.pool = pool
        self.address = address
        self.failures = failures  # lines in a row that were lost here without any answer
        self.asked: _Asked | None = None
        self.patient_until_s = 0.0
        self._incoming = Incoming()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Offer itself."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.pool.offer(self)

    def send(self, asked: _Asked, now_s: float) -> None:
        """Send a request."""
        assert self._transport is not None
        self.asked, self.patient_until_s = asked, now_s + _PATIENCE_S
        self._incoming = Incoming()
        host, key = self.address.host, self.pool.key
        self._transport.write(
            http.request(asked.method, asked.path, host=host, key=key, body=asked.body)
        )

    def data_received(self, data: bytes) -> None:
        """Take in bytes of an answer."""
        answer = self._incoming.feed(data)
        if answer is not None and self.asked is not None:
            asked, self.asked = self.asked, None
            self.failures = -1
            self.pool.answered(asked, answer)
            self.pool.offer(self)

    def give_up(self) -> None:
        """Hang up: the answer, if there will be one, is never seen."""
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, _: Exception | None) -> None:
        """Have the request repeated, and a new connection made."""
        asked, self.asked = self.asked, None
        self.pool.lost(self, asked)


class _Pool:
    """Connections to all gateways in turn."""

    def __init__(self, sender: "ThroughHttp", addresses: Sequence[Address], key: str) -> None:
        self.sender = sender
        self.addresses = addresses
        self.key = key
        self.lines: set[_Line] = set()
        self.free: deque[_Line] = deque()
        self.waiting: deque[_Asked] = deque()
        self.connecting: set[asyncio.Task[None]] = set()
        self.open = 0  # requests whose end is not known
        self.closing = False
        self.loop = asyncio.get_running_loop()

    def connect(self, address: Address, failures: int = 0) -> None:
        """Make a connection, later and later while that comes to nothing."""
        task = self.loop.create_task(self._connect(address, failures))
        self.connecting.add(task)  # the loop itself keeps no task alive
        task.add_done_callback(self.connecting.discard)

    async def _connect(self, address: Address, failures: int) -> None:
        while not self.closing:
            if failures:
                await asyncio.sleep(self.delay_s(failures, _CONNECT_MAX_S))
            try:
                _, line = await self.loop.create_connection(
                    partial(_Line, self, address, failures), address.host, address.port
                )
            except OSError:
                failures += 1
            else:
                self.lines.add(line)
                return

    def ask(self, asked: _Asked) -> None:
        """Send a request on a free connection, or have it wait for one."""
        if self.free:
            self.free.popleft().send(asked, self.loop.time())
        else:
            self.waiting.append(asked)

    def offer(self, line: _Line) -> None:
        """Use a connection that has become free."""
        if self.waiting:
            line.send(self.waiting.popleft(), self.loop.time())
        else:
            self.free.append(line)

    def answered(self, asked: _Asked, answer: Response) -> None:
        """Judge an answer."""
        sender, status = self.sender, answer.status
        sender.answers[str(status)] += 1
        if 200 <= status < 300:
            sender.samples.acknowledged[asked.number] = sender.now()
            sender.samples.answer[asked.number] = OK
            self.open -= 1
        elif status in _DEFINITE:
            if not asked.attempts:  # else an earlier attempt may have had its effect
                sender.samples.answer[asked.number] = REFUSED
            self.open -= 1
        else:
            self._again(asked)

    def lost(self, line: _Line, asked: _Asked | None) -> None:
        """Replace a connection, and repeat what was under way on it."""
        self.lines.discard(line)
        if line in self.free:
            self.free.remove(line)
        if asked is not None:
            self.sender.answers["no answer"] += 1
            self._again(asked)
        if not self.closing:
            self.connect(line.address, line.failures + 1)

    def _again(self, asked: _Asked) -> None:
        asked.attempts += 1
        if asked.attempts >= _ATTEMPTS or self.closing:
            self.open -= 1  # nobody knows
            return
        self.loop.call_later(self.delay_s(asked.attempts, _BACKOFF_MAX_S), self.ask, asked)

    def delay_s(self, attempts: int, longest_s: float) -> float:
        """Return how long to wait after so many attempts, not the same for all."""
        delay_s: float = min(_BACKOFF_S * 2**attempts, longest_s)
        return delay_s * (0.5 + self.sender.stream.random())

    async def sweep(self) -> None:
        """Hang up where no answer came in time, on and on."""
        while True:
            await asyncio.sleep(_SWEEP_S)
            now_s = self.loop.time()
            for line in tuple(self.lines):
                if line.asked is not None and line.patient_until_s < now_s:
                    line.give_up()

    def close(self) -> None:
        """Hang up everywhere."""
        self.closing = True
        for line in tuple(self.lines):
            line.give_up()


class ThroughHttp(Sender):
    """A pool of `connections` to the gateways at `addresses`."""

    def __init__(
        self,
        addresses: Callable[[], Sequence[Address]],
        key: str,
        connections: int,
        samples: Samples,
        requests: Requests,
        stream: random.Random,
        now: Callable[[], int],
    ) -> None:
        super().__init__(samples, requests, stream, now)
        self._addresses = addresses
        self._key = key
        self._connections = connections

    def send(self, burst: Burst) -> None:
        """Send until the burst is over, then wait for the last answers."""
        asyncio.run(self._send(burst))

    async def _send(self, burst: Burst) -> None:
        pool = _Pool(self, self._addresses(), self._key)
        for number in range(self._connections):
            pool.connect(pool.addresses[number % len(pool.addresses)])
        sweeping = asyncio.create_task(pool.sweep())
        sent = pool.loop.create_future()
        pool.loop.set_exception_handler(partial(self._failed, sent))
        self._send_due(pool, self.due(burst), None, sent)
        await sent
        await self._last_answers(pool)
        sweeping.cancel()
        pool.close()
        await asyncio.sleep(0)

    def _failed(self, sent: "asyncio.Future[None]", _: object, context: dict[str, Any]) -> None:
        """Say what a callback failed with, which would end nothing by itself."""
        self.trouble = repr(context.get("exception") or context["message"])
        if not sent.done():
            sent.set_result(None)

    def _send_due(
        self, pool: _Pool, times: Iterator[int], at: int | None, sent: "asyncio.Future[None]"
    ) -> None:
        """Send what is due, and come again for the next; a task per request would cost more."""
        for _ in range(_AT_ONCE):  # late or not: answers must be read
            if at is None and (at := next(times, None)) is None:
                sent.set_result(None)
                return
            if at > self.now():
                break
            number, request = self.begin(at)
            pool.open += 1
            pool.ask(_Asked(number, request.method, request.path, request.body()))
            at = None
        left_s = 0.0 if at is None else min((at - self.now()) / _SECOND, _STOP_S)
        pool.loop.call_later(left_s, self._send_due, pool, times, at, sent)

    async def _last_answers(self, pool: _Pool) -> None:
        """Wait for answers as long as any come."""
        answered, since_s = 0, pool.loop.time()
        while pool.open and pool.loop.time() - since_s < _LAST_S and not self.stopped:
            await asyncio.sleep(0.01)
            if self.answers.total() > answered:
                answered, since_s = self.answers.total(), pool.loop.time()
