"""All proxies of a run, in a thread with an event loop of its own."""

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any

from scenarios.backends import ports
from scenarios.backends.base import Address, Backend, Role
from scenarios.errors import Infrastructure
from scenarios.stages.real.proxies.cql import CqlDialect
from scenarios.stages.real.proxies.framing import Plain
from scenarios.stages.real.proxies.kafka import KafkaDialect
from scenarios.stages.real.proxies.relay import Link, Relay
from scenarios.stages.real.proxies.weather import Weather

_START_S = 10.0


class Proxies:
    """The relays of a run; `way` says where a client finds a server."""

    def __init__(self, backend: Backend, weather: Weather) -> None:
        self.backend = backend
        self.weather = weather
        self.ways: dict[tuple[str, str], Address] = {}
        self._relays: list[Relay] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._thread.start()
        self._clients = 0

    def before_servers(self, client: str) -> None:
        """Put proxies between `client` and every broker and node."""
        self._clients += 1
        hosts = [f"127.7.{self._clients}.{n}" for n, _ in enumerate(self.backend.nodes, 1)]
        (cql_port,) = ports.free(1, hosts)
        kafka_ports = ports.free(len(self.backend.brokers))
        brokers = {
            broker.name: Address("127.0.0.1", port)
            for broker, port in zip(self.backend.brokers, kafka_ports, strict=True)
        }
        nodes = {
            node.name: Address(host, cql_port)
            for node, host in zip(self.backend.nodes, hosts, strict=True)
        }
        ways = {
            self.backend.server(name).advertised: way for name, way in {**brokers, **nodes}.items()
        }
        for name, way in {**brokers, **nodes}.items():
            self._stand(client, name, way, ways)

    def _stand(
        self, client: str, name: str, here: Address, ways: Mapping[Address, Address]
    ) -> None:
        server = self.backend.server(name)
        dialect = KafkaDialect if server.role is Role.KAFKA else CqlDialect
        link = Link(client, name, here, lambda: server.address, lambda: dialect(ways))
        self._add(link)

    def before_gateway(self, client: str, gateway: str, there: Address) -> None:
        """Put a proxy between `client` and a gateway."""
        (port,) = ports.free(1)
        self._add(Link(client, gateway, Address("127.0.0.1", port), lambda: there, Plain))

    def _add(self, link: Link) -> None:
        relay = Relay(link, self.weather)
        self._run(relay.open())
        self._relays.append(relay)
        self.ways[link.client, link.server] = link.here

    def to(self, client: str, servers: Iterable[str]) -> list[Address]:
        """Return where `client` finds `servers`: its proxies, or themselves if it has none."""
        return [
            self.ways.get((client, name)) or self.backend.server(name).advertised
            for name in servers
        ]

    def check(self) -> None:
        """Raise what went wrong in a proxy, apart from connections that failed."""
        for relay in self._relays:
            if relay.defects:
                link = relay.link
                why = f"the proxy between {link.client} and {link.server} failed"
                raise Infrastructure(f"{why}: {relay.defects[0]!r}") from relay.defects[0]

    def close(self) -> None:
        """End every connection and the thread."""
        for relay in self._relays:
            self._run(relay.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_S)
        self._loop.close()

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_START_S)
