"""Back ends whose servers are processes of ours on this machine: what they have in common."""

import shutil
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from scenarios.backends import kafka_wire, layout, ports
from scenarios.backends.base import Ability, Address, Backend, Role, Server
from scenarios.backends.layout import ANY, Layout, Ports, Wanted
from scenarios.backends.processes import ProcessServer
from scenarios.errors import Infrastructure, UsageError

WARM_S = 90.0
_MIB = 1024 * 1024


class LocalBackend(Backend):
    """Brokers and nodes as processes; `folder` holds all their data and their addresses."""

    abilities: ClassVar[frozenset[Ability]] = frozenset(Ability)
    broker_uses: ClassVar[Sequence[str]]  # what each broker needs a port for, ``clients`` first
    node_uses: ClassVar[Sequence[str]]
    disk_mib: ClassVar[int]  # what each server may fill before anything is written to it

    def __init__(self, folder: Path, brokers: int, nodes: int, chosen: Ports = ANY) -> None:
        self.folder = folder.resolve()
        self.say: Callable[[str], None] = lambda _: None  # told what takes long, and why
        wanted = Wanted(
            kind=self.kind,
            brokers=brokers,
            nodes=nodes,
            broker_uses=self.broker_uses,
            node_uses=self.node_uses,
            ports=chosen,
        )
        self.layout = layout.find_or_make(self.folder, wanted)
        self.processes = (*self.make_brokers(self.layout), *self.make_nodes(self.layout))
        self.servers: tuple[Server, ...] = self.processes

    @abstractmethod
    def make_brokers(self, laid_out: Layout) -> Sequence[ProcessServer]:
        """Return the brokers, not running yet."""

    @abstractmethod
    def make_nodes(self, laid_out: Layout) -> Sequence[ProcessServer]:
        """Return the nodes, not running yet."""

    @abstractmethod
    def prepare(self) -> None:
        """Have everything ready that is made once; raise `Infrastructure` for what is missing."""

    def up(self, advertise: Mapping[str, Address] = MappingProxyType({})) -> None:
        """Start all servers at once; return when they serve and know each other."""
        self._advertise(advertise)
        self._check_disk()
        self.sweep()
        ports.check(self._addresses())
        self.prepare()
        layout.keep(self.folder, self.layout)
        start(self.processes)
        try:
            self.warm()
        except BaseException:
            self.kill()
            raise

    def sweep(self) -> list[str]:
        """Kill what a crash of ours has left running in the folder; return the servers' names."""
        return [server.name for server in self.processes if server.sweep()]

    def kill(self) -> None:
        """Kill all servers without warning."""
        for server in self.servers:
            server.kill()

    def warm(self) -> None:
        """Have each broker do what it otherwise does at the first client's request."""
        kafka_wire.warm({i: each.address for i, each in enumerate(self.brokers, 1)}, WARM_S)

    def down(self) -> None:
        """Stop all servers in order; their data stays in the folder."""
        with ThreadPoolExecutor(len(self.servers)) as pool:
            list(pool.map(lambda server: server.terminate(), self.servers))

    def _advertise(self, advertise: Mapping[str, Address]) -> None:
        for name, address in advertise.items():
            server = self.server(name)
            if server.role is Role.CQL and address.port != server.address.port:
                raise UsageError(
                    f"{name} cannot advertise {address}: all nodes have one port, here"
                    f" {server.address.port}; a proxy takes it on another host, such as 127.0.1.1"
                )
            server.advertised = address

    def _addresses(self) -> Iterator[Address]:
        for uses in (*self.layout.brokers.values(), *self.layout.nodes.values()):
            yield from uses.values()

    def _check_disk(self) -> None:
        here = next(path for path in (self.folder, *self.folder.parents) if path.exists())
        free, needed = shutil.disk_usage(here).free // _MIB, self.disk_mib * len(self.servers)
        if free < needed:
            raise Infrastructure(
                f"the disk under {here} has {free} MiB free; {len(self.servers)} servers of kind"
                f" {self.kind} need {needed} MiB: free some, or take another --folder"
            )


def start(servers: Sequence[ProcessServer]) -> None:
    """Start servers at once, return when they serve; if one does not, none is left running."""
    with ThreadPoolExecutor(len(servers)) as pool:
        try:
            for server in servers:
                server.launch()
            for each in as_completed([pool.submit(one.wait_until_joined) for one in servers]):
                each.result()
        except BaseException:
            for server in servers:
                server.kill()
            raise
