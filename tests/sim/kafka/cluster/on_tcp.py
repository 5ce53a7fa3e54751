"""The simulated cluster on real ports of this machine, for the real librdkafka to talk to."""

import asyncio
import threading
from collections.abc import Iterator
from random import Random

from sim.kafka.cluster.cluster import Cluster
from sim.kafka.cluster.image import Node
from sim.kafka.cluster.settings import Settings
from sim.machine import Message
from sim.tcp.kafka.codec import KafkaCodec
from sim.tcp.shell import Shell

_MAX_BYTES = 10**7


class TcpCluster:
    """Brokers on ports of localhost, served by a thread of their own."""

    def __init__(self, settings: Settings, brokers: int = 3) -> None:
        self.loop = asyncio.new_event_loop()
        self.seen: list[str] = []  # names of the APIs that clients have used
        self.lose = 0  # this many Produce responses are lost, and their connections with them
        self.withheld = False  # whether Produce responses are not sent at all
        self.ports: dict[str, int] = {}
        self.shells: dict[str, Shell] = {}
        self.loop.run_until_complete(self._listen(settings, brokers))
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    async def _listen(self, settings: Settings, brokers: int) -> None:
        nodes = [Node(i, f"127.0.0.{i}", 0) for i in range(1, brokers + 1)]
        self.cluster = Cluster(nodes, Random(7), settings)
        for node in nodes:
            self.ports[node.host] = 0
            await self._serve(node.host)
            self.cluster.image.nodes[node.broker_id] = node._replace(port=self.ports[node.host])
        self.bootstrap = f"127.0.0.1:{self.ports['127.0.0.1']}"

    async def _serve(self, name: str) -> None:
        shell = self.shells[name] = Shell(self.cluster.brokers[name])
        codec = lambda address: _Watched(address, self, shell)  # noqa: E731
        self.ports[name] = await shell.listen(name, self.ports[name], codec)
        await shell.start()

    def stop(self) -> None:
        """Let go of all connections, and serve no more."""

        async def stop() -> None:
            for shell in self.shells.values():
                shell.abort()

        asyncio.run_coroutine_threadsafe(stop(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def restart(self, name: str, after_s: float = 0) -> None:
        """Crash a broker and start it again, at once or later."""
        asyncio.run_coroutine_threadsafe(self._restart(name, after_s), self.loop)

    async def _restart(self, name: str, after_s: float) -> None:
        self.shells[name].abort()
        self.cluster.brokers[name].crashed(power_loss=True)
        if after_s:
            await asyncio.sleep(after_s)
        await self._serve(name)


class _Watched(KafkaCodec):
    """Notes what is asked, and loses answers."""

    def __init__(self, address: str, world: TcpCluster, shell: Shell) -> None:
        super().__init__(address, _MAX_BYTES)
        self._world = world
        self._shell = shell

    def decode(self, data: bytes) -> Iterator[Message]:
        for message in super().decode(data):
            self._world.seen.append(message.kind)
            yield message

    def encode(self, message: Message) -> bytes:
        if self._world.lose and message.kind == "ProduceResponse":
            self._world.lose -= 1
            for connection in self._shell.connections.values():
                if connection.codec is self:
                    connection.transport.abort()
        data = super().encode(message)
        withheld = self._world.withheld and message.kind == "ProduceResponse"
        return b"" if withheld else data
