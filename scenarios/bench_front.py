"""How much one gateway takes over loopback, and how fast Settlement writes; servers are doubles.

The double of Kafka acknowledges what has come in every 5 ms, as a producer's linger has it; that
of the database answers at once, or a millisecond later.
"""

import asyncio
import hashlib
import multiprocessing
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import count
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, KafkaError, Message

from scenarios.bench_load import Load, closed_loop
from system.config import Kafka
from system.database import Database, Row, Scylla
from system.gateway import Gateway
from system.gateway.config import Config, Http, Key
from system.gateway.outgoing import Headers, Outgoing
from system.numbering import Numbering
from system.records import EVENTS, LedgerRow, encode
from system.settlement import Settlement
from system.settlement import config as settlement_config
from system.settlement.positions import Partition
from system.topics import key_of

LINGER_S = 0.005
SECONDS, ROUNDS = 2.0, 3  # the best round counts: neighbours only take away
KEY = "the key of the bench"
USERS = 1_000
_SCYLLA = Scylla(contact_points=("nowhere",))
_KAFKA = Kafka(bootstrap="nowhere:1")


class _Lingering(Outgoing):
    """Acknowledges everything that was sent, now and then."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._sent: list[asyncio.Future[KafkaError | None]] = []
        self._waiting = {}

    def start(self) -> None:
        """Nothing to start."""

    def close(self, timeout_s: float) -> int:
        """Nothing is left."""
        del timeout_s
        return 0

    def send(
        self, topic: str, key: bytes, value: bytes, headers: Headers
    ) -> asyncio.Future[KafkaError | None]:
        """Take a record; the first of a batch starts the linger."""
        del topic, key, value, headers
        if not self._sent:
            self._loop.call_later(LINGER_S, self._acknowledge)
        self._sent.append(self._loop.create_future())
        return self._sent[-1]

    def _acknowledge(self) -> None:
        sent, self._sent = self._sent, []
        for report in sent:
            report.set_result(None)


class _Standalone(Gateway):
    def make_outgoing(self, loop: asyncio.AbstractEventLoop) -> Outgoing:
        """Return the double."""
        return _Lingering(loop)

    def check_topic(self) -> None:
        """Find it: there is none to ask for."""


class _Answer:
    def __init__(self, later: Callable[[Callable[[], object]], None] | None) -> None:
        self._later = later

    def result(self) -> list[Row]:
        """Return no rows."""
        return []

    def add_callbacks(self, callback: Callable[[list[Row]], object], errback: object) -> None:
        """Answer, now or later."""
        del errback
        if self._later is None:
            callback([])
        else:
            self._later(lambda: callback([]))


class _Slow(Database):
    """Knows nothing and takes everything, after `delay_s`."""

    def __init__(self, delay_s: float) -> None:
        super().__init__(None, None, "bench")
        self.statements = 0
        self._delay_s = delay_s
        self._due: deque[tuple[float, Callable[[], object]]] = deque()
        if delay_s:
            Thread(target=self._answer, daemon=True).start()

    def prepare(self, cql: str, consistency: int) -> Any:
        """Return the text."""
        del consistency
        return cql

    def send(self, statement: Any, values: Sequence[object]) -> _Answer:
        """Count a statement."""
        del statement, values
        self.statements += 1
        return _Answer(self._later if self._delay_s else None)

    def _later(self, callback: Callable[[], object]) -> None:
        self._due.append((time.perf_counter() + self._delay_s, callback))

    def _answer(self) -> None:
        while True:
            while self._due and self._due[0][0] <= time.perf_counter():
                self._due.popleft()[1]()
            time.sleep(0.0002)


def _serve(port: int, pipe: Connection) -> None:
    key = Key(sha256=hashlib.sha256(KEY.encode()).hexdigest(), operator=True)
    http = Http(port=port, in_flight_max=10_000)
    gateway = _Standalone(Config(kafka=_KAFKA, scylla=_SCYLLA, keys=(key,), gateway=http))
    thread = Thread(target=lambda: asyncio.run(gateway.serve(_Slow(0))), daemon=True)
    thread.start()
    while pipe.recv():
        pipe.send(time.process_time())
    gateway.stop()
    thread.join(5)


def _request(number: int) -> bytes:
    now = f"{time.time_ns() // 10**6:012x}"
    request_id = f"{now[:8]}-{now[8:]}-7000-8000-{number:012x}"
    body = (
        b'{"request_id":"%s","user_id":%d,"symbol":"BTC_USDT","side":"buy","type":"limit",'
        b'"price":"50000.00","quantity":"0.5"}' % (request_id.encode(), 1000 + number % USERS)
    )
    return (
        b"POST /orders HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        % (KEY.encode(), len(body), body)
    )


def gateway() -> None:
    """Print orders a second for several numbers of connections; the load is on the other core."""
    with closing(socket.create_server(("127.0.0.1", 0))) as one:
        port = one.getsockname()[1]
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(port, theirs))
    process.start()
    _await(port)
    numbers = count(1)
    print(
        f"{'gateway, orders over loopback':<32}{'a second':>10}{'aim':>10}{'of a core':>11}", end=""
    )
    print(f"{'us CPU each':>13}{'median ms':>11}{'p99 ms':>9}")
    for connections in (1, 8, 64, 256):
        found = [_one(port, connections, numbers, ours) for _ in range(ROUNDS)]
        load, cpu_s = max(found, key=lambda each: each[0].rate)
        print(
            f"  {connections:3} connections{'':<15}{load.rate:>10,.0f}"
            f"{'>= 2,500' if connections >= 64 else '-':>10}{cpu_s / load.seconds:>11.0%}"
            f"{cpu_s / load.answered * 1e6:>13.0f}{load.median_ms:>11.1f}{load.p99_ms:>9.1f}",
            flush=True,
        )
    ours.send(False)
    process.join(10)


def _one(port: int, connections: int, numbers: Iterator[int], pipe: Any) -> tuple[Load, float]:
    """Return a load, and the seconds of CPU that the gateway took for it."""
    pipe.send(True)
    before = pipe.recv()
    request = lambda: _request(next(numbers))  # noqa: E731
    load = closed_loop(port, connections, SECONDS, request, b"HTTP/1.1 202")
    pipe.send(True)
    return load, pipe.recv() - before


def _await(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the gateway does not listen"
            time.sleep(0.01)
        else:
            return


def _event(number: int) -> Message:
    user_id, seq = 1000 + number % USERS, 1 + number // USERS
    event = LedgerRow(
        shard=1,
        epoch=1,
        epoch_bits="0" * 16,
        n=number + 1,
        user_id=user_id,
        asset_id=1,
        seq=seq,
        delta_avail=5,
        delta_frozen=0,
        avail=5 * seq,
        frozen=0,
        event_type="deposit",
        ref_id=f"request-{number}",
        request_id=f"request-{number}",
        body_hash="0" * 64,
        created_at=1_700_000_000_000,
    )
    return Message(
        topic=EVENTS,
        partition=0,
        offset=number,
        key=key_of(user_id),
        value=encode(event),
        timestamp=(TIMESTAMP_LOG_APPEND_TIME, 1_000),
    )


class _Here:
    """A consumer that only says where the log ends."""

    def get_watermark_offsets(self, place: object, cached: bool) -> tuple[int, int]:
        """Return an empty log."""
        del place, cached
        return 0, 0


def settlement() -> None:
    """Print events a second by batch size, and by statements under way at a slow database."""
    events = [_event(number) for number in range(10_000)]
    for batch, concurrency, delay_s in (
        (1, 64, 0.0),
        (16, 64, 0.0),
        (500, 64, 0.0),
        (500, 1, 0.001),
        (500, 16, 0.001),
        (500, 64, 0.001),
        (500, 256, 0.001),
    ):
        events_taken = 500 if concurrency == 1 else len(events)
        work = settlement_config.Work(concurrency=concurrency)
        settings = settlement_config.Config(kafka=_KAFKA, scylla=_SCYLLA, settlement=work)
        program, database = Settlement(settings), _Slow(delay_s)
        program.consumer = _Here()
        program.open(database)
        program.partition_counts = {EVENTS: 1}
        program.partitions = {(EVENTS, 0): Partition((EVENTS, 0), 0, Numbering("bench", {}, 1_000))}
        began, cpu = time.perf_counter(), time.thread_time()
        for start in range(0, events_taken, batch):
            program.settle(events[start : start + batch])
        wall_s, cpu_s = time.perf_counter() - began, time.thread_time() - cpu
        print(
            f"settlement, batch {batch:3}, {concurrency:3} under way, answer after"
            f" {delay_s * 1000:.0f} ms: {events_taken / wall_s:7,.0f} events/s,"
            f" {database.statements / wall_s:7,.0f} statements/s,"
            f" {cpu_s / events_taken * 1e6:4.0f} us of CPU each"
        )


def main() -> None:
    """Print both."""
    gateway()
    settlement()


if __name__ == "__main__":
    main()
