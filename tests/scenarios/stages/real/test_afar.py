"""Servers that others run: one that stays away is named, one that is restarted is no trouble."""

import socket
import time
from collections.abc import Callable

import pytest

from scenarios.backends.base import Address, Role
from scenarios.backends.remote import RemoteServer
from scenarios.errors import Infrastructure
from scenarios.stages.real import afar
from scenarios.stages.real.afar import Afar
from tests.system.gateway.ports import free_port

_BOUND_S = 30


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(afar, "_EVERY_S", 0.0)


def server(port: int) -> RemoteServer:
    return RemoteServer("scylla-1", Role.CQL, Address("127.0.0.1", port))


def until(watch: Afar, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _BOUND_S
    while not done():
        assert time.monotonic() < deadline
        watch.check()
        time.sleep(0.01)


def test_a_server_that_stays_away_is_named() -> None:
    port = free_port()
    watch = Afar([server(port)], patience_s=0.05)

    with pytest.raises(Infrastructure, match=f"scylla-1 at 127.0.0.1:{port} is gone"):
        until(watch, lambda: False)


def test_a_server_that_comes_back_in_time_is_no_trouble() -> None:
    port = free_port()
    watch = Afar([server(port)], patience_s=_BOUND_S)
    until(watch, lambda: bool(watch.away))

    with socket.create_server(("127.0.0.1", port)):
        until(watch, lambda: not watch.away)
