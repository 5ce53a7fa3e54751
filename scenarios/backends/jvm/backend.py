"""The jvm back end: Kafka's brokers and Cassandra's nodes, laid out, started together, stopped."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from scenarios.backends import kafka_wire, layout, ports
from scenarios.backends.base import Ability, Address, Backend, Server
from scenarios.backends.jvm import archives, cassandra, jars, kafka
from scenarios.backends.jvm.cassandra import CassandraServer
from scenarios.backends.jvm.kafka import READY_S, KafkaServer
from scenarios.backends.jvm.server import JvmServer
from scenarios.backends.layout import Layout, Wanted


class Jvm(Backend):
    """Real Apache Kafka and real Apache Cassandra; `folder` holds all their data."""

    kind: ClassVar[str] = "jvm"
    abilities: ClassVar[frozenset[Ability]] = frozenset(Ability)

    def __init__(
        self,
        folder: Path,
        brokers: int = 1,
        nodes: int = 1,
        kafka_port: int | None = None,
        cql_port: int | None = None,
    ) -> None:
        self.folder = folder.resolve()
        wanted = Wanted(
            kind=self.kind,
            brokers=brokers,
            nodes=nodes,
            broker_uses=("clients", "brokers", "controller"),
            node_uses=("clients", "storage"),
            kafka_port=kafka_port,
            cql_port=cql_port,
        )
        self.layout = layout.find_or_make(self.folder, wanted)
        self._kafka = _kafka_servers(self.layout, self.folder)
        self._cassandra = _cassandra_servers(self.layout, self.folder)
        self._mine: tuple[JvmServer, ...] = (*self._kafka, *self._cassandra)
        self.servers: tuple[Server, ...] = self._mine

    @property
    def versions(self) -> Mapping[str, str]:
        """Name and version of each server's software."""
        found = jars.versions()
        return {"Apache Kafka": found["kafka"], "Apache Cassandra": found["cassandra"]}

    def up(self, advertise: Mapping[str, Address] = MappingProxyType({})) -> None:
        """Start all servers at once; return when they serve and the nodes have joined."""
        files = jars.fetch()
        archives.make(files)
        for name, address in advertise.items():
            self.server(name).advertised = address
        ports.check(address for uses in self._addresses() for address in uses.values())
        layout.keep(self.folder, self.layout)
        for server in self._mine:
            server.jars = files
        try:
            self._start()
        except BaseException:
            for each in self.servers:
                each.kill()
            raise

    def _addresses(self) -> tuple[Mapping[str, Address], ...]:
        return (*self.layout.brokers.values(), *self.layout.nodes.values())

    def _start(self) -> None:
        with ThreadPoolExecutor(len(self.servers)) as pool:
            for server in self._mine:
                server.launch()
            waits = [pool.submit(broker.wait_until_served) for broker in self._kafka]
            waits += [pool.submit(node.wait_until_joined) for node in self._cassandra]
            for each in waits:
                each.result()
        self.warm()

    def warm(self) -> None:
        """Have each broker do what it otherwise does at the first client's request."""
        for broker in self._kafka:
            kafka_wire.warm(broker.address, READY_S)

    def down(self) -> None:
        """Stop all servers in order; their data stays in the folder."""
        with ThreadPoolExecutor(len(self.servers)) as pool:
            list(pool.map(lambda server: server.terminate(), self.servers))


def _kafka_servers(laid_out: Layout, folder: Path) -> tuple[KafkaServer, ...]:
    seats = [
        kafka.Seat(i, uses["clients"], uses["brokers"], uses["controller"])
        for i, uses in enumerate(laid_out.brokers.values(), 1)
    ]
    cluster = kafka.identifier(laid_out.cluster)
    return tuple(
        KafkaServer(seat, seats, cluster, folder / name)
        for name, seat in zip(laid_out.brokers, seats, strict=True)
    )


def _cassandra_servers(laid_out: Layout, folder: Path) -> tuple[CassandraServer, ...]:
    seats = [
        cassandra.Seat(i, uses["clients"], uses["storage"])
        for i, uses in enumerate(laid_out.nodes.values(), 1)
    ]
    return tuple(
        CassandraServer(seat, seats, folder / name)
        for name, seat in zip(laid_out.nodes, seats, strict=True)
    )
