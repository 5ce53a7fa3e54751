"""One node of real Apache Kafka, broker and controller in one (KRaft).

A node's folder is formatted without a Java process: the one file that formatting makes is kept
beside the jars, and copied (`metadata` in `archives` makes it).
"""

import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from scenarios.backends import kafka_wire
from scenarios.backends.base import Address, Role
from scenarios.backends.jvm.jars import SOURCE, Jars
from scenarios.backends.jvm.server import JvmServer
from scenarios.backends.layout import kafka_id

READY_S = 90.0
CHECKPOINT = "00000000000000000000-0000000000.checkpoint"
METADATA = "kafka-metadata.checkpoint"  # its name in the cache
_SERVED = "Kafka Server started"


@dataclass(frozen=True, slots=True)
class Seat:
    """A node's place in its cluster."""

    id: int
    clients: Address
    brokers: Address  # where other brokers reach it
    controller: Address

    @property
    def name(self) -> str:
        """The name of its server."""
        return f"kafka-{self.id}"


class KafkaServer(JvmServer):
    """The node in `seat` of the cluster made of `seats`."""

    def __init__(self, seat: Seat, seats: Sequence[Seat], cluster: str, folder: Path) -> None:
        super().__init__(seat.name, Role.KAFKA, seat.clients, folder)
        self.seat = seat
        self.seats = seats
        self.cluster = cluster

    def command(self) -> Sequence[str]:
        """Write the configuration, format the folder if it is new, and return the command."""
        settings = self.configure()
        self._format(self.jars)
        return (*java(self.jars, "kafka", self.flags), "kafka.Kafka", str(settings))

    def wait_until_served(self) -> None:
        """Return when its log says so and a client finds it in the cluster's metadata."""
        self.wait_for(lambda: self.said(_SERVED), READY_S)
        self.wait_for(lambda: kafka_wire.lists(self.address, self.seat.id), READY_S)

    def configure(self) -> Path:
        """Write the settings file, and return its path."""
        replication = min(3, len(self.seats))
        settings = Template((SOURCE / "kafka" / "server.properties").read_text(encoding="utf-8"))
        path = self.folder / "server.properties"
        path.write_text(
            settings.safe_substitute(
                id=self.seat.id,
                host=self.address.host,
                port=self.address.port,
                broker_port=self.seat.brokers.port,
                controller_port=self.seat.controller.port,
                advertised_host=self.advertised.host,
                advertised_port=self.advertised.port,
                voters=",".join(f"{each.id}@{each.controller}" for each in self.seats),
                data=self.data,
                replication=replication,
                min_insync=max(1, replication - 1),
            ),
            encoding="utf-8",
        )
        return path

    def _format(self, jars: Jars) -> None:
        assert self.data is not None
        if (self.data / "meta.properties").exists():
            return
        metadata = self.data / "__cluster_metadata-0"
        metadata.mkdir(parents=True, exist_ok=True)
        shutil.copy(jars.folder / METADATA, metadata / CHECKPOINT)
        (self.data / "meta.properties").write_text(
            f"version=1\nnode.id={self.seat.id}\ncluster.id={self.cluster}\n"
            f"directory.id={kafka_id(uuid.uuid4().hex)}\n",
            encoding="utf-8",
        )


def java(jars: Jars, server: str, flags: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the start of a command: Java, its options, the archive if it is there, the classes."""
    archive = jars.archive(server)
    shared = (f"-XX:SharedArchiveFile={archive}",) if archive.exists() and not flags else ()
    logging = f"-Dlog4j2.configurationFile={SOURCE / server / 'log4j2.xml'}"
    options = f"@{SOURCE / server / 'jvm.options'}"
    return (jars.java.path, options, *shared, *flags, logging, "-cp", jars.class_path(server))
