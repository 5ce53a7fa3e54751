"""A gateway on a real port, over doubles of Kafka and the database in its own process."""

import asyncio
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from system.gateway import Gateway
from system.gateway.outgoing import Outgoing
from tests.system.gateway.asking import Records, config
from tests.system.gateway.ports import free_port
from tests.system.tables import Tables

PATIENCE_S = 10.0


class Mailbox(Records):
    """Records that are acknowledged at once; none is kept."""

    def start(self) -> None:
        pass

    def close(self, timeout_s: float) -> int:
        self.sent.clear()
        return 0


class Standalone(Gateway):
    """A gateway that needs no servers; `acknowledge` is what becomes of each record."""

    def make_outgoing(self, loop: asyncio.AbstractEventLoop) -> Outgoing:
        return Mailbox()

    def check_topic(self) -> None:
        pass


@contextmanager
def serving(program: type[Gateway] = Standalone, **http: Any) -> Generator[Gateway]:
    """Run a gateway in a thread; stop it in the end."""
    gateway = program(config(port=free_port(), **http))
    tables = Tables()
    thread = Thread(target=lambda: asyncio.run(gateway.serve(tables)), daemon=True)
    thread.start()
    _wait_for(gateway.http.port)
    try:
        yield gateway
    finally:
        gateway.stop()
        thread.join(PATIENCE_S)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), PATIENCE_S).close()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the gateway does not listen"
            time.sleep(0.005)
        else:
            return
