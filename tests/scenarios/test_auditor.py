"""The auditor: who asks again while a gateway cannot answer, but not for ever."""

import random
from dataclasses import dataclass

from reports.evidence import Operation
from scenarios import auditor
from scenarios.http import Response
from scenarios.readers import History, Reader
from scenarios.workloads import SECOND

_BALANCES = b'{"balances":[{"asset":"BTC","avail":"1.00000000","frozen":"0.00000000"}]}'


@dataclass
class _Clock:
    now: int = 0

    def sleep(self, ns: int) -> None:
        self.now += ns

    def wall_ms(self) -> int:
        return self.now // 10**6


@dataclass
class _Gateway:
    """Has no database for its first `without` answers; knows of no request."""

    without: int
    asked: int = 0
    hung_up: bool = False

    def request(self, method: str, path: str, key: str, body: bytes, patience_ns: int) -> Response:
        self.asked += 1
        if self.asked <= self.without:
            return Response(503, b'{"error":"unavailable"}')
        if path.startswith("/balances"):
            return Response(200, _BALANCES)
        return Response(404, b"{}")

    def hang_up(self) -> None:
        self.hung_up = True


def _reader(gateway: _Gateway) -> Reader:
    operation = Operation(
        client="c",
        request_id="r",
        user_id=1001,
        asset_id=1,
        kind="transfer_in",
        amount=1,
        outcome="info",
    )
    return Reader(
        "auditor",
        connection=gateway,
        clock=_Clock(),
        stream=random.Random(0),
        key="",
        history=History(operations=[operation]),
    )


def test_an_auditor_asks_again_while_the_gateway_has_no_database() -> None:
    gateway = _Gateway(without=3)
    reader = _reader(gateway)
    auditor.ask(reader, quiescent=True, traded=False)
    assert [read.avail for read in reader.history.reads] == [10**8]
    assert [answer.status for answer in reader.history.answers] == ["not_seen", "not_seen"]
    assert gateway.hung_up


def test_an_auditor_gives_up_when_nobody_answers() -> None:
    gateway = _Gateway(without=10**9)
    reader = _reader(gateway)
    auditor.ask(reader, quiescent=True, traded=False)
    assert not reader.history.reads
    assert not reader.history.answers
    assert 20 * SECOND <= reader.clock.now < 30 * SECOND
    assert gateway.hung_up
