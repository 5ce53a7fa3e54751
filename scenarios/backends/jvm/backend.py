"""The jvm back end: real Apache Kafka and real Apache Cassandra, one Java process each."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from scenarios.backends.jvm import archives, cassandra, jars, kafka
from scenarios.backends.jvm.cassandra import CassandraServer
from scenarios.backends.jvm.kafka import KafkaServer
from scenarios.backends.jvm.server import JvmServer
from scenarios.backends.layout import Layout, kafka_id
from scenarios.backends.local import LocalBackend


class Jvm(LocalBackend):
    """Kafka's brokers and Cassandra's nodes."""

    kind: ClassVar[str] = "jvm"
    broker_uses: ClassVar[Sequence[str]] = ("clients", "brokers", "controller")
    node_uses: ClassVar[Sequence[str]] = ("clients", "storage")
    disk_mib: ClassVar[int] = 200

    @property
    def versions(self) -> Mapping[str, str]:
        """Name and version of each server's software."""
        found = jars.versions()
        return {"Apache Kafka": found["kafka"], "Apache Cassandra": found["cassandra"]}

    def prepare(self) -> None:
        """Fetch the jars and make the class-data archives, each once for this user."""
        files = jars.fetch(self.say)
        archives.make(files, self.say)
        for server in self.processes:
            assert isinstance(server, JvmServer)
            server.jars = files

    def make_brokers(self, laid_out: Layout) -> Sequence[KafkaServer]:
        """Return the brokers, not running yet."""
        seats = [
            kafka.Seat(i, uses["clients"], uses["brokers"], uses["controller"])
            for i, uses in enumerate(laid_out.brokers.values(), 1)
        ]
        cluster = kafka_id(laid_out.cluster)
        return [KafkaServer(seat, seats, cluster, self.folder / seat.name) for seat in seats]

    def make_nodes(self, laid_out: Layout) -> Sequence[CassandraServer]:
        """Return the nodes, not running yet."""
        seats = [
            cassandra.Seat(i, uses["clients"], uses["storage"])
            for i, uses in enumerate(laid_out.nodes.values(), 1)
        ]
        return [CassandraServer(seat, seats, self.folder / seat.name) for seat in seats]
