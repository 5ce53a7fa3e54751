"""The HTTP server: uvicorn's protocol on a listening socket, without its ticks and signals."""

import asyncio
from email.utils import formatdate
from typing import Any

import uvicorn
import uvicorn.lifespan.off  # uvicorn loads it by name
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from system.errors import ConfigError


class Server:
    """Listens, and stops without cutting off answers."""

    def __init__(self, app: Any, host: str, port: int, section: str) -> None:
        self._section = section  # of the configuration, for messages
        self._config = uvicorn.Config(
            app,
            host=host,
            port=port,
            loop="none",
            http=HttpToolsProtocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,  # set by who needs it, once a second
        )
        self._config.load()
        self._state = ServerState()
        self._listener: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen, or say that the port is taken."""
        host, port = self._config.host, self._config.port
        try:
            self._listener = await asyncio.get_running_loop().create_server(
                self._protocol, host=host, port=port, backlog=self._config.backlog
            )
        except OSError as error:
            raise ConfigError(
                f"{self._section}.host = {host!r}, {self._section}.port = {port}: cannot listen "
                f"there ({error.strerror}); choose another or stop what listens there"
            ) from None

    @property
    def port(self) -> int:
        """The port it really listens on."""
        assert self._listener is not None, "not started"
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    async def stop(self, grace_ms: int) -> None:
        """Take no more connections; let requests under way end, but not for ever."""
        assert self._listener is not None, "not started"
        self._listener.close()
        for connection in sorted(self._state.connections, key=_peer):
            connection.shutdown()
        for _ in range(grace_ms // 10):
            if not self._state.connections and not self._state.tasks:
                return
            await asyncio.sleep(0.01)

    def _protocol(self) -> asyncio.Protocol:
        return HttpToolsProtocol(config=self._config, server_state=self._state, app_state={})


def _peer(connection: Any) -> str:
    return str(connection.client)


class DateHeader:
    """The Date header, computed once per second."""

    def __init__(self) -> None:
        self._second = -1
        self._header = (b"date", b"")

    def at(self, second: int) -> tuple[bytes, bytes]:
        """Return the header for this second."""
        if second != self._second:
            self._second = second
            self._header = (b"date", formatdate(second, usegmt=True).encode())
        return self._header
