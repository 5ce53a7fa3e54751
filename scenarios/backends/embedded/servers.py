"""One broker, controller or CQL node of ours as a process: ``python -m sim.tcp``."""

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from scenarios.backends import cql_wire, kafka_wire
from scenarios.backends.base import Address, Role
from scenarios.backends.processes import ProcessServer
from sim.tcp.cql.config import Config as NodeConfig
from sim.tcp.cql.config import Listen, Member
from sim.tcp.kafka.config import Config as BrokerConfig

READY_S = 60.0
SETTINGS = {"group_initial_rebalance_delay_ms": 0}  # as the jvm back end's brokers have it
CONTROLLER = "kafka-controller"
_READY = '{"ready": true'


class EmbeddedServer(ProcessServer):
    """A process that says in one line of its output that it serves."""

    def config(self) -> msgspec.Struct:
        """Return its configuration."""
        raise NotImplementedError

    def command(self) -> Sequence[str]:
        """Write the configuration, and return the command."""
        path = self.folder / "config.json"
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self.config())))
        server = "cql" if self.role is Role.CQL else "kafka"
        return (sys.executable, "-m", "sim.tcp", server, "--config", str(path))

    def wait_until_served(self) -> None:
        """Return when it says that it serves."""
        self.wait_for(lambda: self.said(_READY), READY_S)


class EmbeddedController(EmbeddedServer):
    """What keeps the metadata of several brokers."""

    def __init__(self, address: Address, brokers: Sequence[int], folder: Path) -> None:
        super().__init__(CONTROLLER, Role.CONTROLLER, address, folder)
        self._brokers = tuple(brokers)

    def config(self) -> BrokerConfig:
        """Return its configuration."""
        return BrokerConfig(
            role="controller",
            directory=str(self.data),
            host=self.address.host,
            controller_port=self.address.port,
            brokers=self._brokers,
        )


class EmbeddedBroker(EmbeddedServer):
    """A broker; alone it keeps its own metadata, otherwise the `controller` does."""

    def __init__(self, broker_id: int, address: Address, folder: Path) -> None:
        super().__init__(f"kafka-{broker_id}", Role.KAFKA, address, folder)
        self.id = broker_id
        self.brokers: Sequence[int] = ()
        self.controller: Address | None = None

    def config(self) -> BrokerConfig:
        """Return its configuration."""
        return BrokerConfig(
            directory=str(self.data),
            broker_id=self.id,
            host=self.address.host,
            port=self.address.port,
            advertised_host=self.advertised.host,
            advertised_port=self.advertised.port,
            brokers=tuple(self.brokers),
            controller=str(self.controller) if self.controller else "",
            settings=SETTINGS,
        )

    def wait_until_served(self) -> None:
        """Return when it says that it serves, and lists itself."""
        super().wait_until_served()
        self.wait_for(lambda: kafka_wire.lists(self.address, self.id), READY_S)


class EmbeddedNode(EmbeddedServer):
    """A CQL node, one of `ring`."""

    def __init__(self, name: str, clients: Address, peers: Address, folder: Path) -> None:
        super().__init__(name, Role.CQL, clients, folder)
        self.peers = peers  # where other nodes reach it
        self.ring: Sequence[EmbeddedNode] = (self,)

    @property
    def member(self) -> Member:
        """What the ring and its clients know of it."""
        return Member(
            name=self.name,
            address=self.advertised.host,
            port=self.advertised.port,
            peer_address=self.peers.host,
            peer_port=self.peers.port,
        )

    def config(self) -> NodeConfig:
        """Return its configuration."""
        return NodeConfig(
            name=self.name,
            data=str(self.data),
            members=tuple(node.member for node in self.ring),
            listen=Listen(
                address=self.address.host,
                port=self.address.port,
                peer_address=self.peers.host,
                peer_port=self.peers.port,
            ),
        )

    def wait_until_served(self) -> None:
        """Return when it says that it serves, and answers."""
        super().wait_until_served()
        probe = "SELECT release_version FROM system.local"
        self.wait_for(lambda: cql_wire.answers(self.address, probe), READY_S)
