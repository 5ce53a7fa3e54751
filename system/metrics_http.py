"""Metrics over HTTP for programs that serve nothing else: a thread with a small server, if wanted.

A program enters `serving` around its work. Without `metrics.port` in its configuration there is no
thread and no socket.
"""

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated

import msgspec
from prometheus_client import CollectorRegistry, make_asgi_app

from system.config import NonEmpty, Section
from system.errors import ConfigError
from system.http_server import Server

_GRACE_MS = 100
_JOIN_S = 1.0


class Listen(Section, frozen=True):
    """The section `[metrics]`: where to listen; without a port nobody does.

    `textfile` is a file `*.prom` in a directory that a textfile collector reads; see
    `system.metrics_file`.
    """

    host: NonEmpty = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] | None = None
    textfile: str = ""


class _Endpoint:
    """A server in a thread of its own."""

    def __init__(self, registry: CollectorRegistry, host: str, port: int) -> None:
        self._app = make_asgi_app(registry, disable_compression=True)
        self._address = host, port
        self._ready = threading.Event()
        self._error: ConfigError | None = None
        self._loop: asyncio.AbstractEventLoop
        self._stopped: asyncio.Event
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)

    def start(self) -> None:
        """Listen, or say that the port is taken."""
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Close; a scrape under way may end."""
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        server = Server(self._app, *self._address, "metrics")
        try:
            await server.start()
        except ConfigError as error:
            self._error = error
            return
        finally:
            self._ready.set()
        await self._stopped.wait()
        await server.stop(_GRACE_MS)


@contextmanager
def serving(registry: CollectorRegistry, listen: Listen) -> Generator[None]:
    """Serve a registry while the block runs, at any path."""
    if listen.port is None:
        yield
        return
    endpoint = _Endpoint(registry, listen.host, listen.port)
    endpoint.start()
    try:
        yield
    finally:
        endpoint.stop()
