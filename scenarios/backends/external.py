"""Servers that somebody else runs: known by their addresses, never started, stopped or harmed."""

import socket
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from scenarios.backends import cql_wire, kafka_wire
from scenarios.backends.base import Ability, Address, Backend, Role, Server
from scenarios.errors import Infrastructure, UsageError

_PATIENCE_S = 5.0
_RELEASE = "SELECT release_version, data_center FROM system.local"


class External(Server):
    """A server of which only the address is known."""

    @property
    def alive(self) -> bool:
        """Whether somebody listens at its address."""
        try:
            with socket.create_connection((self.address.host, self.address.port), _PATIENCE_S):
                return True
        except OSError:
            return False

    def start(self) -> None:
        """Refuse: it is not ours."""
        raise self._not_ours()

    def kill(self) -> None:
        """Refuse: it is not ours."""
        raise self._not_ours()

    def terminate(self) -> None:
        """Refuse: it is not ours."""
        raise self._not_ours()

    def pause(self) -> None:
        """Refuse: it is not ours."""
        raise self._not_ours()

    def resume(self) -> None:
        """Refuse: it is not ours."""
        raise self._not_ours()

    def _not_ours(self) -> UsageError:
        return UsageError(f"{self.name} at {self.address} is somebody else's server")


class ExternalBackend(Backend):
    """Brokers and nodes that run already; nothing may be deleted on them but what is named."""

    kind: ClassVar[str] = "remote"
    abilities: ClassVar[frozenset[Ability]] = frozenset()

    def __init__(self, folder: Path, bootstrap: str, contact_points: str) -> None:
        self.folder = folder
        brokers = [Address.parse(text, 9092) for text in bootstrap.split(",")]
        nodes = [Address.parse(text, 9042) for text in contact_points.split(",")]
        if len({node.port for node in nodes}) > 1:
            raise UsageError(f"{contact_points}: drivers know one port for all nodes")
        self.servers: tuple[Server, ...] = (
            *(External(f"kafka-{n}", Role.KAFKA, each) for n, each in enumerate(brokers, 1)),
            *(External(f"scylla-{n}", Role.CQL, each) for n, each in enumerate(nodes, 1)),
        )
        self._versions: dict[str, str] = {}
        self._datacenter = "datacenter1"

    @property
    def wished(self) -> str:
        """The options of ``wavetank run`` that name these servers again."""
        return (
            f"--bootstrap {','.join(str(each.address) for each in self.brokers)}"
            f" --contact-points {','.join(str(each.address) for each in self.nodes)}"
        )

    @property
    def versions(self) -> Mapping[str, str]:
        """The database's release; Kafka's protocol does not tell the broker's."""
        return self._versions

    @property
    def datacenter(self) -> str:
        """The data centre of the first node."""
        return self._datacenter

    def up(self, advertise: Mapping[str, Address] = MappingProxyType({})) -> None:
        """Look whether all of them serve."""
        if advertise:
            raise UsageError("somebody else's servers advertise what they were told to")
        for broker in self.brokers:
            if not kafka_wire.brokers(broker.address, _PATIENCE_S):
                raise Infrastructure(
                    f"no broker that speaks without TLS or SASL answers at {broker.address};"
                    " check --bootstrap and its listener"
                )
        for node in self.nodes:
            self._ask(node.address)

    def warm(self) -> None:
        """Leave them as they are."""

    def _ask(self, node: Address) -> None:
        try:
            with cql_wire.Wire(node, _PATIENCE_S) as wire:
                ((release, datacenter),) = wire.execute(_RELEASE)
        except (OSError, cql_wire.CqlError) as error:
            raise Infrastructure(
                f"no node answers at {node}: {error}; check --contact-points"
            ) from None
        self._versions = {"CQL database": str(release)}
        self._datacenter = str(datacenter)

    def down(self) -> None:
        """Leave them as they are."""
