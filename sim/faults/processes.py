"""Faults of programs and servers: crashes, pauses, power loss."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from sim.faults.base import Fault, HostFault, Receipt
from sim.host import Server
from sim.process import Process
from sim.world import World


def _victim(world: World, name: str) -> Process | Server | None:
    """Return the program called `name`, or the server on the host of that name, if it lives."""
    process = world.living(name)
    if process is not None:
        return process
    host = world.hosts.get(name)
    if host is not None and host.servers and host.servers[0].alive:
        return host.servers[0]
    return None


def _start_again(world: World, name: str) -> None:
    host = world.hosts.get(name)
    if host is not None and host.powered:
        for server in host.servers:
            if not server.alive:
                server.start()


@dataclass(frozen=True, slots=True)
class _OnProcess(Fault):
    target: str

    @property
    def targets(self) -> tuple[str, ...]:
        """The program or server."""
        return (self.target,)

    @property
    def kind(self) -> str:
        """Programs and servers are counted apart."""
        return f"{type(self).__name__}({self.target.partition('-')[0]})"


@dataclass(frozen=True, slots=True)
class Crash(_OnProcess):
    """kill -9: memory is gone, the page cache stays.

    Healing starts a server again; a program is started again by its deployment's supervisor.
    """

    @contextmanager
    def injected(self, world: World) -> Generator[Receipt]:
        """Kill what runs; on exit start a server again."""
        receipt = Receipt(self.targets)
        victim = _victim(world, self.target)
        if isinstance(victim, Process):
            receipt.bite("processes killed")
            receipt.say("killed", victim.label)
            world.kernel.kill(victim)
        elif victim is not None:
            receipt.bite("servers killed")
            victim.crash()
        try:
            yield receipt
        finally:
            _start_again(world, self.target)


@dataclass(frozen=True, slots=True)
class PowerLoss(HostFault):
    """A host goes dark: memory, page cache and the disk's cache go, and nobody is told."""

    @property
    def kind(self) -> str:
        """Counted per kind of host."""
        return f"PowerLoss({self.host.partition('-')[0]})"

    @contextmanager
    def injected(self, world: World) -> Generator[Receipt]:
        """Take the host down; on exit give power and start its servers again."""
        receipt = Receipt(self.targets)
        host = world.hosts[self.host]
        if host.powered:
            receipt.bite("hosts without power")
            damage = host.lose_power()
            if damage is not None:
                receipt.damage.append(damage)
                for line in damage.lines():
                    receipt.say(f"disk {len(receipt.effects)}", line)
        try:
            yield receipt
        finally:
            if not host.powered:
                host.boot()
            _start_again(world, self.host)


@dataclass(frozen=True, slots=True)
class Pause(_OnProcess):
    """SIGSTOP, a garbage collection, a virtual machine that is moved: nothing runs, then all."""

    @contextmanager
    def injected(self, world: World) -> Generator[Receipt]:
        """Stop it where it is; on exit let it go on."""
        receipt = Receipt(self.targets)
        victim = _victim(world, self.target)
        if isinstance(victim, Process) and not victim.paused:
            world.kernel.pause(victim)
            receipt.bite("processes paused")
        elif isinstance(victim, Server) and not victim.paused:
            victim.pause()
            receipt.bite("servers paused")
        else:
            victim = None
        try:
            yield receipt
        finally:
            if isinstance(victim, Process):
                world.kernel.resume(victim)
            elif victim is not None:
                victim.resume()
