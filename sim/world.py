"""A world: hosts, a network and servers, everything from one seed."""

from typing import TYPE_CHECKING

from sim.clock import Clock
from sim.host import Host, Server
from sim.kernel import Kernel
from sim.machine import Machine
from sim.moments import MomentWatch
from sim.network import Network
from sim.packet import Link
from sim.process import Process

if TYPE_CHECKING:
    from sim.disk import Disk

EPOCH_NS = 1_772_442_000 * 10**9  # 2 March 2026, 09:00 UTC; a scenario may choose another


class World:
    """Everything simulated, built from one seed; `close` it when done."""

    def __init__(
        self,
        seed: int,
        *,
        epoch_ns: int = EPOCH_NS,
        keep_trace: bool = False,
        link: Link | None = None,
        max_events: int = 20_000_000,
    ) -> None:
        self.seed = seed
        self.epoch_ns = epoch_ns
        self.kernel = Kernel(seed, keep_trace=keep_trace, max_events=max_events)
        self.network = Network(self.kernel, link)
        self.hosts = self.network.hosts
        self.moments = MomentWatch(self.kernel)
        self.kernel.births.append(self.moments.attend)

    def add_host(
        self,
        name: str,
        *,
        address: str = "",
        disk: "Disk | None" = None,
        clock_offset_ns: int = 0,
        clock_drift_ppb: int = 0,
    ) -> Host:
        """Put a computer called `name` on the network."""
        clock = Clock(
            self.kernel.read_clock,
            self.epoch_ns,
            offset_ns=clock_offset_ns,
            drift_ppb=clock_drift_ppb,
        )
        return Host(self.kernel, self.network, name, clock, disk, address)

    def add_server(self, host: str, machine: Machine, port: int, kind: str) -> Server:
        """Let `machine` serve at (host, port); it is down until started."""
        return Server(self.hosts[host], machine, port, kind)

    def processes(self, name: str) -> list[Process]:
        """Return all incarnations of the program called `name`, oldest first."""
        return [process for process in self.kernel.processes if process.name == name]

    def living(self, name: str) -> Process | None:
        """Return the incarnation of `name` that runs, if one does."""
        for process in reversed(self.kernel.processes):
            if process.name == name and process.alive:
                return process
        return None

    def server(self, host: str) -> Server:
        """Return the one server on `host`."""
        return self.hosts[host].servers[0]

    def close(self) -> None:
        """End everything that still runs."""
        self.kernel.close()
