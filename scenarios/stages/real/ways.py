"""The ways between those who take part in a run: their addresses, and the proxies before them."""

from scenarios.backends import ports
from scenarios.backends.base import Address, Backend
from scenarios.deployment import Deployment
from scenarios.stages.real.proxies.crowd import Proxies
from scenarios.stages.real.proxies.weather import Weather
from scenarios.stages.real.site import Surroundings


class Ways:
    """Knows where each program listens, and where it and clients find the others."""

    def __init__(self, backend: Backend, deployment: Deployment, weather: Weather) -> None:
        self.backend, self.deployment, self.weather = backend, deployment, weather
        self.metrics: dict[str, int] = {}  # the port of each program, if somebody asks for them
        self._gateways: dict[str, Address] = {}
        self._proxies: Proxies | None = None

    def lay(self, *, proxied: bool, measured: bool) -> None:
        """Choose free ports for all programs; if `proxied`, a proxy stands in every way."""
        names = self.deployment.programs
        free = dict(zip(names, ports.free(len(names)), strict=True))
        self._gateways = {
            name: Address("127.0.0.1", free[name]) for name in self.deployment.gateways
        }
        if measured:
            self.metrics = free
        if not proxied:
            return
        self._proxies = Proxies(self.backend, self.weather)
        for name in names:
            self._proxies.before_servers(name)
        for name, address in self._gateways.items():
            self._proxies.before_gateway(self.deployment.client, name, address)

    def to_gateway(self, name: str) -> Address:
        """Return where clients find a gateway."""
        before = self._proxies.ways if self._proxies else {}
        return before.get((self.deployment.client, name)) or self._gateways[name]

    def around(self, name: str, keyspace: str, group: str) -> Surroundings:
        """Return what a program is told of the world."""
        return Surroundings(
            brokers=self._to(name, self.deployment.brokers),
            nodes=self._to(name, self.deployment.nodes),
            datacenter=self.backend.datacenter,
            keyspace=keyspace,
            group=group,
            gateway_port=self._gateways[name].port if name in self._gateways else 0,
            metrics_port=self.metrics.get(name, 0),
            replication=self.backend.replication,
            min_insync=self.backend.min_insync,
            kafka_keys=self.backend.kafka_keys,
            scylla_keys=self.backend.scylla_keys,
        )

    def check(self) -> None:
        """Raise what has gone wrong in a proxy."""
        if self._proxies is not None:
            self._proxies.check()

    def close(self) -> None:
        """End the proxies."""
        if self._proxies is not None:
            self._proxies.close()

    def _to(self, name: str, servers: tuple[str, ...]) -> tuple[Address, ...]:
        if self._proxies is not None:
            return tuple(self._proxies.to(name, servers))
        return tuple(self.backend.server(server).advertised for server in servers)
