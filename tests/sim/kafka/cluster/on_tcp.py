"""The simulated cluster on real ports of this machine, for the real librdkafka to talk to."""

import asyncio
import io
import struct
import threading
import time
from collections.abc import Hashable, Iterable
from functools import partial
from random import Random
from typing import Any

from kio.serial import entity_reader, entity_writer

from sim.kafka.batch import Batch
from sim.kafka.cluster.broker import Broker
from sim.kafka.cluster.cluster import Cluster
from sim.kafka.cluster.image import Node
from sim.kafka.cluster.settings import Settings
from sim.kafka.entities import ApiVersionsResponse, FetchResponse, ProduceRequest
from sim.kafka.protocol import APIS, Request, Response
from sim.machine import Cancel, Disconnect, Effect, Send, Timer

_BY_KEY = {api.key: api for api in APIS.values()}


class TcpCluster:
    """Three brokers on ports of localhost, served by a thread of their own."""

    def __init__(self, settings: Settings) -> None:
        self.loop = asyncio.new_event_loop()
        self.connections = 0
        self.writers: dict[tuple[str, int], asyncio.StreamWriter] = {}
        self.timers: dict[tuple[str, Hashable], asyncio.TimerHandle] = {}
        self.seen: list[str] = []  # names of the APIs that clients have used
        self.lose = 0  # this many Produce responses are lost, and their connections with them
        self.open: list[asyncio.Server] = []
        self._run(self._listen(settings))

    def _run(self, coroutine: Any) -> None:
        self.loop.run_until_complete(coroutine)
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    async def _listen(self, settings: Settings) -> None:
        servers = {}
        for name in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
            servers[name] = await asyncio.start_server(partial(self._accept, name), name, 0)
        self.open = list(servers.values())
        ports = {name: server.sockets[0].getsockname()[1] for name, server in servers.items()}
        nodes = [Node(i, name, port) for i, (name, port) in enumerate(ports.items(), 1)]
        self.bootstrap = f"127.0.0.1:{ports['127.0.0.1']}"
        self.cluster = Cluster(nodes, Random(7), settings)
        for name in ports:
            self._carry_out(name, self.cluster.brokers[name].started(time.time_ns()))

    def restart(self, name: str) -> None:
        """Crash a broker and start it again at once."""
        self.loop.call_soon_threadsafe(self._restart, name)

    def _restart(self, name: str) -> None:
        for (broker, _), writer in list(self.writers.items()):
            if broker == name:
                writer.transport.abort()
        for broker, key in list(self.timers):
            if broker == name:
                self._cancel(name, key)
        self._broker(name).crashed(power_loss=True)
        self._carry_out(name, self._broker(name).started(time.time_ns()))

    def _broker(self, name: str) -> Broker:
        return self.cluster.brokers[name]

    async def _accept(
        self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        connection = self.connections
        self.writers[name, connection] = writer
        broker = self._broker(name)
        self._carry_out(name, broker.connected(time.time_ns(), connection, "127.0.0.1"))
        try:
            while True:
                (size,) = struct.unpack(">i", await reader.readexactly(4))
                message = await reader.readexactly(size)
                request = self._decode(message, writer)
                if request is not None:
                    now_ns = time.time_ns()
                    self._carry_out(name, broker.received(now_ns, connection, request))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        self._carry_out(name, broker.disconnected(time.time_ns(), connection))
        writer.close()

    def _decode(self, message: bytes, writer: asyncio.StreamWriter) -> Request | None:
        key, version, correlation_id = struct.unpack_from(">hhi", message)
        api = _BY_KEY[key]
        self.seen.append(api.name)
        if version != api.version:
            assert api.name == "ApiVersions", f"{api.name} v{version} was not offered"
            keys = b"".join(struct.pack(">hhh", a.key, a.version, a.version) for a in APIS.values())
            body = struct.pack(">ihi", correlation_id, 35, len(APIS)) + keys
            writer.write(struct.pack(">i", len(body)) + body)
            return None
        header, at = entity_reader(api.request.__header_schema__)(message, 0)  # type: ignore[attr-defined]
        body, _ = entity_reader(api.request)(message, at)
        if isinstance(body, ProduceRequest):
            for topic in body.topic_data:
                for part in topic.partition_data:
                    object.__setattr__(part, "records", Batch.decode_all(part.records))
        return Request(correlation_id, header.client_id, body)

    def _carry_out(self, name: str, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                assert isinstance(effect.message, Response)
                writer = self.writers[name, effect.connection]
                if self.lose and effect.message.kind == "ProduceResponse":
                    self.lose -= 1
                    writer.transport.abort()
                else:
                    writer.write(_encode(effect.message))
            elif isinstance(effect, Timer):
                self._cancel(name, effect.key)
                delay = max(effect.at_ns - time.time_ns(), 0) / 1e9
                handle = self.loop.call_later(delay, self._fire, name, effect.key)
                self.timers[name, effect.key] = handle
            elif isinstance(effect, Cancel):
                self._cancel(name, effect.key)
            elif isinstance(effect, Disconnect):
                self.writers[name, effect.connection].close()

    def _cancel(self, name: str, key: Hashable) -> None:
        if (name, key) in self.timers:
            self.timers.pop((name, key)).cancel()

    def _fire(self, name: str, key: Hashable) -> None:
        del self.timers[name, key]
        self._carry_out(name, self._broker(name).fired(time.time_ns(), key))


def _encode(response: Response) -> bytes:
    body = response.body
    if isinstance(body, FetchResponse):
        for topic in body.responses:
            for part in topic.partitions:
                data = b"".join([batch.encode() for batch in part.records])
                object.__setattr__(part, "records", data)
    out = io.BytesIO()
    header = type(body).__header_schema__
    if isinstance(body, ApiVersionsResponse):
        out.write(struct.pack(">i", response.correlation_id))
    else:
        entity_writer(header)(out, header(correlation_id=response.correlation_id))
    entity_writer(type(body))(out, body)
    return struct.pack(">i", out.tell()) + out.getvalue()
