"""One node of real Apache Cassandra, which stands in for ScyllaDB where that cannot be installed.

All nodes have the same port, on addresses 127.0.0.1, 127.0.0.2 and so on, as drivers expect it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from scenarios.backends import cql_wire
from scenarios.backends.base import Address, Role
from scenarios.backends.jvm.jars import SOURCE, Jars
from scenarios.backends.jvm.server import JvmServer

READY_S = 150.0
_RING = 2**64
# A table with three replicas whatever the number of nodes: an open port alone says little.
_PROBE_REPLICAS = 3
_PROBE = (
    "SELECT * FROM system_distributed.view_build_status"
    " WHERE keyspace_name = 'none' AND view_name = 'none'"
)


@dataclass(frozen=True, slots=True)
class Seat:
    """A node's place in its ring."""

    id: int
    clients: Address
    storage: Address  # where other nodes reach it

    @property
    def name(self) -> str:
        """The name of its server."""
        return f"scylla-{self.id}"


class CassandraServer(JvmServer):
    """The node in `seat` of the ring made of `seats`."""

    def __init__(self, seat: Seat, seats: Sequence[Seat], folder: Path) -> None:
        super().__init__(seat.name, Role.CQL, seat.clients, folder)
        self.seat = seat
        self.seats = seats

    def command(self) -> Sequence[str]:
        """Write the configuration, and return the command."""
        return java(self.jars, self._configure(), self.folder, self.flags)

    def wait_until_served(self) -> None:
        """Return when it coordinates a read."""
        self._wait_for(cql_wire.ONE)

    def wait_until_joined(self) -> None:
        """Return when it coordinates a read of every node; with fewer than three, of itself."""
        self._wait_for(cql_wire.ALL if len(self.seats) >= _PROBE_REPLICAS else cql_wire.ONE)

    def _wait_for(self, consistency: int) -> None:
        self.wait_for(lambda: cql_wire.answers(self.address, _PROBE, consistency), READY_S)

    def _configure(self) -> Path:
        (self.folder / "triggers").mkdir(exist_ok=True)
        settings = Template((SOURCE / "cassandra" / "cassandra.yaml").read_text(encoding="utf-8"))
        path = self.folder / "cassandra.yaml"
        path.write_text(
            settings.safe_substitute(
                host=self.address.host,
                advertised_host=self.advertised.host,
                port=self.address.port,
                storage_port=self.seat.storage.port,
                seeds=",".join(str(each.storage) for each in self.seats),
                token=-(_RING // 2) + (self.seat.id - 1) * (_RING // len(self.seats)),
                data=self.data,
            ),
            encoding="utf-8",
        )
        return path


def java(jars: Jars, settings: Path, folder: Path, flags: Sequence[str]) -> tuple[str, ...]:
    """Return the command of a node with the settings file and the folder given.

    Without `flags` it runs on the class-data archive, if that is there, and with the agent that
    measures objects; an archive cannot be made with the agent.
    """
    archive, (agent,) = jars.archive("cassandra"), (jars.folder / "cassandra").glob("jamm-*.jar")
    shared = (f"-XX:SharedArchiveFile={archive}",) if archive.exists() else ()
    return (
        jars.java.path,
        f"@{SOURCE / 'cassandra' / 'jvm.options'}",
        *(flags or (f"-javaagent:{agent}", *shared)),
        f"-Dlogback.configurationFile={SOURCE / 'cassandra' / 'logback.xml'}",
        f"-Dcassandra.config=file:{settings}",
        f"-Dcassandra.storagedir={folder}",
        f"-Dcassandra.triggers_dir={folder / 'triggers'}",
        "-cp",
        jars.class_path("cassandra"),
        "org.apache.cassandra.service.CassandraDaemon",
    )
