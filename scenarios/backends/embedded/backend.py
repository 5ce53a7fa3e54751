"""The embedded back end: nothing but Python, one process for each broker and node."""

from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import ClassVar

from scenarios.backends.embedded.servers import (
    CONTROLLER,
    EmbeddedBroker,
    EmbeddedController,
    EmbeddedNode,
)
from scenarios.backends.layout import Layout
from scenarios.backends.local import LocalBackend
from scenarios.backends.processes import ProcessServer


class Embedded(LocalBackend):
    """Brokers and nodes that are the simulation's own state machines."""

    kind: ClassVar[str] = "embedded"
    broker_uses: ClassVar[Sequence[str]] = ("clients", "controller")
    node_uses: ClassVar[Sequence[str]] = ("clients", "peers")
    transactions: ClassVar[bool] = False
    disk_mib: ClassVar[int] = 20

    @property
    def versions(self) -> Mapping[str, str]:
        """Name and version of each server's software: ours."""
        return {"Wavetank's brokers and CQL nodes": metadata.version("wavetank")}

    @property
    def replication(self) -> int:
        """One: the brokers replicate nothing."""
        return 1

    def prepare(self) -> None:
        """Nothing is made once."""

    def make_brokers(self, laid_out: Layout) -> Sequence[ProcessServer]:
        """Return the brokers, and the controller that several of them need first."""
        brokers = [
            EmbeddedBroker(i, uses["clients"], self.folder / name)
            for i, (name, uses) in enumerate(laid_out.brokers.items(), 1)
        ]
        if len(brokers) < 2:
            return brokers
        address = next(iter(laid_out.brokers.values()))["controller"]
        ids = [broker.id for broker in brokers]
        for broker in brokers:
            broker.brokers, broker.controller = ids, address
        return [EmbeddedController(address, ids, self.folder / CONTROLLER), *brokers]

    def make_nodes(self, laid_out: Layout) -> Sequence[EmbeddedNode]:
        """Return the nodes, not running yet."""
        nodes = [
            EmbeddedNode(name, uses["clients"], uses["peers"], self.folder / name)
            for name, uses in laid_out.nodes.items()
        ]
        for node in nodes:
            node.ring = nodes
        return nodes
