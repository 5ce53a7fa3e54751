"""Servers that a plan kills: again while they start, without that being trouble of theirs."""

import threading
from pathlib import Path
from typing import Any, cast

import pytest

from scenarios.errors import Infrastructure
from scenarios.stages.real.servers import Servers
from tests.scenarios.backends.small import Small


class Slow:
    """A server whose starts wait until somebody lets them end, well or not."""

    name = "kafka-1"
    address = "127.0.0.1:1"
    log_path = Path("log")

    def __init__(self) -> None:
        self.alive = True
        self.begun = threading.Semaphore(0)
        self.ends = threading.Semaphore(0)
        self.serves = True

    def kill(self) -> None:
        self.alive = False

    def start(self) -> None:
        self.alive = True
        self.begun.release()
        self.ends.acquire()
        if not self.serves or not self.alive:
            raise Infrastructure("it ended with exit code -9")

    def tail(self) -> str:
        return ""


def servers_with(slow: Slow, tmp_path: Path) -> Servers:
    backend = Small(tmp_path, 1, 1)
    backend.servers = (cast("Any", slow),)
    return Servers(backend)


def test_one_that_is_killed_again_while_it_starts_is_no_trouble(tmp_path: Path) -> None:
    slow = Slow()
    servers = servers_with(slow, tmp_path)

    servers.kill(cast("Any", slow))
    servers.start(cast("Any", slow))
    slow.begun.acquire()
    servers.kill(cast("Any", slow))
    servers.start(cast("Any", slow))
    slow.ends.release(2)
    servers.wait_until_all_up()

    assert slow.alive


def test_one_that_does_not_come_back_is(tmp_path: Path) -> None:
    slow = Slow()
    slow.serves = False
    servers = servers_with(slow, tmp_path)

    servers.kill(cast("Any", slow))
    servers.start(cast("Any", slow))
    slow.ends.release()

    with pytest.raises(Infrastructure, match="exit code -9"):
        servers.wait_until_all_up()


def test_one_boots_until_it_serves(tmp_path: Path) -> None:
    slow = Slow()
    servers = servers_with(slow, tmp_path)
    assert not servers.boot(10**12)

    servers.kill(cast("Any", slow))
    servers.start(cast("Any", slow))
    slow.begun.acquire()
    assert servers.boot(10**12)
    assert not servers.boot(0)
    slow.ends.release()
    servers.wait_until_all_up()

    assert not servers.boot(10**12)
