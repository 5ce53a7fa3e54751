"""Connections: order, loss, cuts, deaths, and what both sides get to see."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.connection import End
from sim.faults import Cut, Isolate, LoseResponse, SlowLink
from sim.kernel import SECOND
from tests.sim.conftest import Bench


class _Echo:
    """Two processes, one connection, everything each side saw."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.server = bench.host("server").launch("server", lambda: bench.kernel.sleep(10**15))
        self.client = bench.host("client").launch("client", lambda: bench.kernel.sleep(10**15))
        self.ends: list[End] = []
        self.got: list[Any] = []
        self.closed: list[tuple[str, str]] = []
        self.failed: list[OSError] = []
        bench.network.listen("server", 80, self._accept, self.server)

    def dial(self, port: int = 80) -> None:
        self.bench.network.connect(
            "client", "server", port, self._connected, self.failed.append, self.client, "http"
        )

    def _accept(self, end: End) -> None:
        end.on_message = self.got.append
        end.on_close = lambda error: self.closed.append(("server", type(error).__name__))
        self.ends.append(end)

    def _connected(self, end: End) -> None:
        end.on_close = lambda error: self.closed.append(("client", type(error).__name__))
        end.on_message = self.got.append
        self.ends.append(end)

    @property
    def near(self) -> End:
        return next(end for end in self.ends if end.source == "client")

    @property
    def far(self) -> End:
        return next(end for end in self.ends if end.source == "server")


def _connected(seed: int = 1) -> _Echo:
    echo = _Echo(Bench(seed))
    echo.dial()
    echo.bench.kernel.run(SECOND)
    return echo


@given(st.integers(0, 1000), st.lists(st.binary(min_size=1, max_size=3), max_size=20))
@settings(max_examples=30, deadline=None)
def test_what_is_sent_arrives_in_order(seed: int, sent: list[bytes]) -> None:
    echo = _connected(seed)

    for message in sent:
        echo.near.send(message, len(message))
    echo.bench.kernel.run(2 * SECOND)

    assert echo.got == sent


def test_nobody_listens_means_refused(bench: Any) -> None:
    echo = _Echo(bench)

    echo.dial(port=81)
    bench.kernel.run(SECOND)

    assert isinstance(echo.failed[0], ConnectionRefusedError)


def test_the_death_of_a_process_closes_its_connections() -> None:
    echo = _connected()

    echo.near.send(b"last words", 10)
    echo.bench.kernel.kill(echo.client)
    echo.bench.kernel.run(2 * SECOND)

    assert echo.got == [b"last words"]
    assert echo.closed == [("server", "NoneType")]


@pytest.mark.parametrize("end", [End.close, End.abort])
def test_who_was_paused_reads_what_came_before_the_connection_ended(
    end: Callable[[End], None],
) -> None:
    echo = _connected()
    echo.bench.kernel.pause(echo.server)
    echo.near.send(b"do it", 5)
    end(echo.near)
    echo.bench.kernel.run(2 * SECOND)
    assert echo.got == []

    echo.bench.kernel.resume(echo.server)

    assert echo.got == [b"do it"]
    assert [side for side, _ in echo.closed] == ["server"]


def test_a_host_without_power_says_nothing_until_it_is_back() -> None:
    echo = _connected()
    server = echo.bench.host("server")

    server.lose_power()
    echo.near.send(b"hello?", 6)
    echo.bench.kernel.run(5 * SECOND)
    silent = list(echo.closed)
    server.boot()
    echo.bench.kernel.run(60 * SECOND)

    assert silent == []
    assert echo.closed == [("client", "ConnectionResetError")]
    assert echo.got == []


class _Stage:
    """What faults need of a world."""

    def __init__(self, bench: Bench) -> None:
        self.kernel, self.network, self.hosts = bench.kernel, bench.network, bench.network.hosts


def test_a_one_way_cut_holds_one_direction_and_heals() -> None:
    echo = _connected()
    world: Any = _Stage(echo.bench)

    with Cut("client", "server").injected(world) as receipt:
        echo.near.send(b"held", 4)
        echo.far.send(b"passes", 6)
        echo.bench.kernel.run(3 * SECOND)
        during = list(echo.got)
    echo.bench.kernel.run(120 * SECOND)

    assert during == [b"passes"]
    assert echo.got == [b"passes", b"held"]
    assert receipt.bites == 1


def test_an_isolated_host_cannot_be_dialled() -> None:
    bench = Bench()
    echo = _Echo(bench)
    world: Any = _Stage(bench)

    with Isolate(("server",)).injected(world) as receipt:
        echo.dial()
        bench.kernel.run(2 * SECOND)
        during = len(echo.ends)
    bench.kernel.run(10 * SECOND)

    assert (during, len(echo.ends)) == (0, 2)
    assert receipt.bites > 0


def test_a_lost_response_was_sent_after_the_server_had_acted() -> None:
    echo = _connected()
    world: Any = _Stage(echo.bench)

    with LoseResponse("server", "bytes").injected(world) as receipt:
        echo.near.send(b"do it", 5)
        echo.bench.kernel.run(2 * SECOND)
        echo.far.send(b"done", 4)
        echo.bench.kernel.run(3 * SECOND)

    assert echo.got == [b"do it"]
    assert sorted(echo.closed) == [
        ("client", "ConnectionResetError"),
        ("server", "ConnectionResetError"),
    ]
    assert receipt.effects == {"responses lost": 1}


def test_a_slow_link_delays_and_a_fault_that_met_nothing_says_so() -> None:
    echo = _connected()
    world: Any = _Stage(echo.bench)

    with SlowLink("server", 1000).injected(world) as bitten:
        echo.near.send(b"slow", 4)
        echo.bench.kernel.run(echo.bench.kernel.now + 2 * SECOND)
    with SlowLink("server", 1000).injected(world) as idle:
        pass

    assert (bitten.bites, idle.bites) == (1, 0)
    assert echo.got == [b"slow"]
