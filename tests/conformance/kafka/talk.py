"""What is said to a broker and what it answers, note by note."""

import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, Self

from sim.kafka.protocol import APIS
from tests.conformance.kafka import requests
from tests.conformance.kafka.group_requests import describe_group
from tests.conformance.kafka.plain import Names, Plain, plain
from tests.sim.tcp.kafka.wire import answer, frame

CLOSED = "<closed>"
_TIMEOUT_S = 20


class Note(NamedTuple):
    """One request's API, who asked, and the answer."""

    api: str
    client: str
    answer: Plain


class Talk:
    """Any number of clients of one broker, each with a connection, and the notes of their talk."""

    def __init__(self, port: int, restart: Callable[[], None]) -> None:
        self.notes: list[Note] = []
        self._port = port
        self._restart = restart
        self._names = Names()
        self._sockets: dict[str, socket.socket] = {}

    def ask(self, body: Any, client: str = "me") -> Any:
        """Send one request, note and return its answer; None if the broker hangs up."""
        self.tell(body, client)
        return self.hear(body, client)

    def tell(self, body: Any, client: str = "me") -> None:
        """Send one request and do not wait."""
        if client not in self._sockets:
            self._sockets[client] = socket.create_connection(("127.0.0.1", self._port), _TIMEOUT_S)
        self._sockets[client].sendall(frame(body, client_id=client))

    def hear(self, body: Any, client: str = "me") -> Any:
        """Note and return the answer to `body`, which this client has sent before."""
        name = type(body).__name__.removesuffix("Request")
        data = self._read(client)
        if data is None:
            self.notes.append(Note(name, client, CLOSED))
            return None
        found = answer(data, name, APIS[name].version)[1]
        self.notes.append(Note(name, client, plain(found, self._names)))
        return found

    def topic(self, name: str, partitions: int = 1, **config: str) -> None:
        """Make a topic, unnoted, and wait until it is led; underscores stand for dots."""
        given = {"retention.ms": "-1"}  # times of records are the test's business
        given |= {key.replace("_", "."): value for key, value in config.items()}
        self.quietly(requests.create(name, partitions, config=given))
        self.settled(name, partitions)

    def settled(self, name: str, partitions: int) -> None:
        """Wait, unnoted, until the broker serves as many partitions of a topic; 0: until none."""
        self.settle(
            lambda quietly: (
                len(quietly(requests.metadata(name)).topics[0].partitions) == partitions
                and all(self._served(name, partition) for partition in range(partitions))
            )
        )

    def settle(self, settled: Callable[[Callable[[Any], Any]], bool]) -> None:
        """Wait, unnoted, until `settled` says so; it is given a way to ask."""
        until = time.monotonic() + _TIMEOUT_S
        while not settled(self.quietly):
            assert time.monotonic() < until, "the broker does not settle"
            time.sleep(0.02)

    def _served(self, name: str, partition: int) -> bool:
        found = self.quietly(requests.list_offsets(name, partition=partition))
        return not found.topics[0].partitions[0].error_code

    def quietly(self, body: Any) -> Any:
        """Ask without a note."""
        noted = len(self.notes)
        names = self._names
        self._names = Names()
        found = self.ask(body, "observer")
        self._names = names
        del self.notes[noted:]
        return found

    def restart(self, name: str, partitions: int = 1) -> None:
        """Kill the broker, start it again; wait, unnoted, until it serves a topic and its group.

        It hands out producer ids by then, too.
        """
        for client in list(self._sockets):
            self.hang_up(client)
        self._restart()
        self.settled(name, partitions)
        group = describe_group(name)
        self.settle(lambda quietly: not quietly(group).groups[0].error_code)
        self.settle(lambda quietly: not quietly(requests.producer_id()).error_code)

    def answered(self, client: str) -> bool:
        """Whether a client could hear something now."""
        return bool(select.select([self._sockets[client]], [], [], 0)[0])

    def hang_up(self, client: str) -> None:
        """Close a client's connection; it opens another when it asks again."""
        self._sockets.pop(client).close()

    def _read(self, client: str) -> bytes | None:
        data, link = b"", self._sockets[client]
        while len(data) < 4 or len(data) < 4 + int.from_bytes(data[:4]):
            more = b""
            with suppress(ConnectionResetError):
                more = link.recv(65536)
            if not more:
                self.hang_up(client)
                return None
            data += more
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        for link in self._sockets.values():
            link.close()
