"""Back ends that we start ourselves, in a folder of theirs, whatever their servers run in."""

import shutil
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from scenarios.backends import kafka_wire, layout, ports
from scenarios.backends.base import Address, Backend, Role
from scenarios.backends.layout import ANY, Ports, Wanted
from scenarios.errors import Infrastructure, UsageError

WARM_S = 90.0
_MIB = 1024 * 1024


class StartedBackend(Backend):
    """Its layout is kept in `folder`; started there again, it has its addresses and its data."""

    broker_uses: ClassVar[Sequence[str]]  # what each broker needs a port for, ``clients`` first
    node_uses: ClassVar[Sequence[str]]
    transactions: ClassVar[bool] = True  # whether its brokers have a coordinator for them
    disk_mib: ClassVar[int]  # what each server fills before anybody writes to it

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

    @abstractmethod
    def prepare(self) -> None:
        """Have everything ready that is made once; raise `Infrastructure` for what is missing."""

    @abstractmethod
    def start(self) -> None:
        """Start all servers and return when they serve; if one does not, none is left running."""

    @abstractmethod
    def kill(self) -> None:
        """Kill all servers without warning."""

    @abstractmethod
    def sweep(self) -> list[str]:
        """Kill what a crash of ours has left running in the folder; return the servers' names."""

    @abstractmethod
    def wipe(self) -> None:
        """Delete the data of all servers; nothing else."""

    @abstractmethod
    def show_logs(self, names: Sequence[str], lines: int, *, follow: bool) -> Sequence[str]:
        """Return the command that shows the last lines of the logs of the servers named."""

    def up(self, advertise: Mapping[str, Address] = MappingProxyType({})) -> None:
        """Start all servers at once; return when they serve and know each other."""
        self._advertise(advertise)
        self._check_disk()
        self.sweep()
        ports.check(self._addresses())
        self.prepare()
        layout.keep(self.folder, self.layout)
        self.start()
        try:
            self.warm()
        except BaseException:
            self.kill()
            raise

    def warm(self) -> None:
        """Have each broker do what it otherwise does at the first client's request."""
        brokers = {i: each.address for i, each in enumerate(self.brokers, 1)}
        kafka_wire.warm(brokers, WARM_S, transactions=self.transactions)

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
                f" {self.kind} need {needed} MiB: free some, or choose another disk"
            )
