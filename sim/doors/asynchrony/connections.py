"""What an event loop does with the network: connect, listen, resolve; and what it refuses."""

import asyncio
import errno
import os
import socket
from asyncio import base_events
from collections.abc import Callable
from typing import Any, NoReturn

from sim.connection import End
from sim.doors.asynchrony.sockets import Ports, Socket
from sim.doors.asynchrony.transport import Transport
from sim.doors.escapes import escape
from sim.process import Process

_ANYWHERE = {None, "", "0.0.0.0", "::"}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Connections:
    """The part of a simulated loop that makes transports and servers."""

    process: Process
    create_future: Callable[[], asyncio.Future[Any]]
    inject: Callable[..., None]

    async def getaddrinfo(
        self,
        host: Any,
        port: Any,
        *,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> Any:
        """Resolve the name of a host of this world."""
        name = host.decode() if isinstance(host, bytes) else host
        address = name
        if name in _ANYWHERE or name in _LOOPBACK:
            address = self.process.host.address
        else:
            try:
                address = self.process.host.network.resolve(name)
            except OSError:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None
        kind = type or socket.SOCK_STREAM
        return [(socket.AF_INET, kind, socket.IPPROTO_TCP, "", (address, int(port or 0)))]

    async def create_connection(
        self,
        protocol_factory: Callable[[], Any],
        host: str | None = None,
        port: int | None = None,
        *,
        ssl: Any = None,
        sock: Any = None,
        **_: Any,
    ) -> tuple[Any, Any]:
        """Connect to (host, port) over the world's network."""
        if ssl or sock is not None or host is None or port is None:
            self._refuse("create_connection with ssl or sock, or without host and port")
        [(_f, _t, _p, _n, (name, number))] = await self.getaddrinfo(host, port)
        process = self.process
        answer: asyncio.Future[Any] = self.create_future()
        local = (process.host.address, _ports(process).take())

        def connected(end: End) -> None:
            transport = Transport(self, end, local, (host, number))
            self.inject(_settle, answer, transport, None)

        def failed(error: OSError) -> None:
            text = f"Connect call failed {(host, number)}"
            self.inject(_settle, answer, None, OSError(error.errno or errno.EIO, text))

        process.host.network.connect(
            process.host.name, name, number, connected, failed, process, "http"
        )
        transport = await answer
        protocol = protocol_factory()
        transport.begin(protocol)
        return transport, protocol

    async def create_server(
        self,
        protocol_factory: Callable[[], Any],
        host: Any = None,
        port: int | None = None,
        *,
        sock: Any = None,
        backlog: int = 100,
        ssl: Any = None,
        start_serving: bool = True,
        **_: Any,
    ) -> Any:
        """Listen at (host, port) of the process's own host."""
        if ssl or sock is not None:
            self._refuse("create_server with ssl or sock")
        if isinstance(host, list | tuple):
            host = host[0] if len(host) == 1 else None
        mine = self.process.host
        if host not in _ANYWHERE | _LOOPBACK | {mine.name, mine.address}:
            raise OSError(
                errno.EADDRNOTAVAIL,
                f"error while attempting to bind on address {(host, port)}: "
                f"{os.strerror(errno.EADDRNOTAVAIL).lower()}",
            )
        number = port or _ports(self.process).take()
        if (mine.name, number) in mine.network.listeners:
            raise OSError(
                errno.EADDRINUSE,
                f"error while attempting to bind on address {(host, number)}: "
                f"{os.strerror(errno.EADDRINUSE).lower()}",
            )
        listening = Socket((host or "0.0.0.0", number))
        make_server: Any = base_events.Server
        server = make_server(self, [listening], protocol_factory, None, backlog, None)
        if start_serving:
            server._start_serving()
            await asyncio.sleep(0)
        return server

    def _start_serving(
        self, protocol_factory: Callable[[], Any], sock: Socket, *args: Any, **_: Any
    ) -> None:
        server = args[1] if len(args) > 1 else None
        host = self.process.host

        def accept(end: End) -> None:
            if sock.listener is None:  # it came while the process was paused, and nobody accepts
                end.abort()
                return
            local = (host.address, sock.getsockname()[1])
            remote_host = host.network.hosts[end.target]
            remote = (remote_host.address, _ports(self.process).take())
            transport = Transport(self, end, local, remote, server)
            self.inject(lambda: transport.begin(protocol_factory()))

        sock.listener = host.network.listen(host.name, sock.getsockname()[1], accept, self.process)

    def _stop_serving(self, sock: Socket) -> None:
        sock.close()

    # What nobody simulates:

    def _refuse(self, what: str) -> NoReturn:
        escape(self.process, f"asyncio's {what}")

    def _add_reader(self, fd: Any, *_: Any) -> NoReturn:
        self._refuse("add_reader")

    def _add_writer(self, fd: Any, *_: Any) -> NoReturn:
        self._refuse("add_writer")

    async def _make_subprocess_transport(self, *_: Any, **__: Any) -> NoReturn:
        self._refuse("subprocess")

    async def create_datagram_endpoint(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse."""
        self._refuse("create_datagram_endpoint")

    async def create_unix_server(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse."""
        self._refuse("create_unix_server")

    async def create_unix_connection(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse."""
        self._refuse("create_unix_connection")


def _settle(answer: "asyncio.Future[Any]", transport: Transport | None, error: Any) -> None:
    if answer.cancelled():
        if transport is not None:
            transport.abort()
    elif error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(transport)


def _ports(process: Process) -> Ports:
    found: Ports | None = process.doors.get("ports")
    if found is None:
        found = process.doors["ports"] = Ports()
    return found
