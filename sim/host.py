"""Hosts: a clock, a disk, power, and what runs on them: programs and servers.

**Faithful**: a crashed process leaves the page cache; power loss takes every process, the page
cache and the device's cache, and says nothing to anybody. Clocks go on without power.
**Simplified**: a host has one disk and memory without end.
"""

from collections.abc import Callable, Hashable
from functools import partial
from typing import TYPE_CHECKING, Any

from sim.clock import Clock
from sim.connection import End, Listener
from sim.kernel import Kernel
from sim.kernel import Timer as KernelTimer
from sim.machine import Cancel, Dial, Disconnect, Effects, Machine, Message, Record, Send, Timer
from sim.network import Network
from sim.process import Process

if TYPE_CHECKING:
    from sim.disk import Damage, Disk


class Host:
    """One computer of the world."""

    def __init__(
        self,
        kernel: Kernel,
        network: Network,
        name: str,
        clock: Clock,
        disk: "Disk | None" = None,
        address: str = "",
    ) -> None:
        self.kernel = kernel
        self.network = network
        self.name = name
        self.clock = clock
        self.disk = disk
        self.address = address or name
        self.powered = True
        self.processes: list[Process] = []
        self.servers: list[Server] = []
        network.hosts[name] = self
        if address:
            network.addresses[address] = name

    def launch(self, name: str, main: Callable[[], Any]) -> Process:
        """Start a program as the next incarnation of `name`."""
        incarnation = 1 + sum(process.name == name for process in self.processes)
        process = Process(self.kernel, self, name, incarnation)
        self.processes.append(process)
        process.start(main)
        return process

    def lose_power(self) -> "Damage | None":
        """Take everything down at once; return what the disk lost."""
        self.powered = False
        self.kernel.trace.record("power-loss", self.name)
        for process in self.processes:
            self.kernel.kill(process)
        for server in self.servers:
            server.crash(power_loss=True)
        return self.disk.power_loss() if self.disk is not None else None

    def boot(self) -> None:
        """Give power again; starting programs and servers is for whoever restarts them."""
        self.powered = True
        self.clock.boot()
        self.network.booted(self.name)


class Server:
    """Drives a state machine on a host: connections in, effects out, timers kept."""

    def __init__(self, host: Host, machine: Machine, port: int, kind: str) -> None:
        self.host = host
        self.machine = machine
        self.port = port
        self.kind = kind
        self.alive = False
        self.paused = False
        self.on_death: list[Callable[[], None]] = []
        self.peers: dict[str, tuple[str, int, str]] = {}  # peer -> host, port, kind
        self.observer: Callable[[str, Record], None] | None = None  # told of every state change
        self.crashes = 0
        self._backlog: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
        self._ends: dict[int, End] = {}
        self._connections = 0
        self._timers: dict[Hashable, KernelTimer] = {}
        self._listener: Listener | None = None
        host.servers.append(self)

    def start(self) -> None:
        """Start, or start again after a crash."""
        self.alive, self.paused = True, False
        self.host.kernel.trace.record("server", self.host.name, "up")
        self._listener = self.host.network.listen(self.host.name, self.port, self._accept, self)
        self._carry_out(self.machine.started(self._now()))

    def crash(self, *, power_loss: bool = False) -> None:
        """Kill the server's process; what was in memory is gone."""
        if not self.alive:
            if power_loss:
                self.machine.crashed(power_loss=True)
            return
        self.alive = False
        self.crashes += 1
        self.host.kernel.trace.record("server", self.host.name, "down")
        for timer in self._timers.values():
            timer.cancel()
        for release in self.on_death:
            release()
        self._timers.clear()
        self._ends.clear()
        self._backlog.clear()
        self.on_death.clear()
        self.machine.crashed(power_loss=power_loss)

    def pause(self) -> None:
        """Stop the server where it is; messages wait in its sockets."""
        self.paused = True

    def resume(self) -> None:
        """Let a paused server go on with what came meanwhile."""
        self.paused = False
        backlog, self._backlog = self._backlog, []
        for function, args in backlog:
            self.call(function, *args)

    def call(self, function: Callable[..., Any], *args: Any) -> None:
        """Call on behalf of the server: now, when it goes on, or never."""
        if self.alive:
            if self.paused:
                self._backlog.append((function, args))
            else:
                function(*args)

    def _now(self) -> int:
        return self.host.clock.wall_ns()

    def _accept(self, end: End) -> None:
        connection = self._take(end)
        self._carry_out(self.machine.connected(self._now(), connection, end.target))

    def _take(self, end: End) -> int:
        self._connections += 1
        connection = self._connections
        self._ends[connection] = end
        end.on_message = partial(self._received, connection)
        end.on_close = lambda _: self._gone(connection)
        return connection

    def _received(self, connection: int, message: Message) -> None:
        self._carry_out(self.machine.received(self.host.clock.wall_ns(), connection, message))

    def _gone(self, connection: int) -> None:
        if self._ends.pop(connection, None) is not None:
            self._carry_out(self.machine.disconnected(self._now(), connection))

    def _carry_out(self, effects: Effects) -> None:
        for effect in effects:
            kind = type(effect)
            if kind is Send:
                end = self._ends.get(effect.connection)  # type: ignore[union-attr]
                if end is not None:
                    message = effect.message  # type: ignore[union-attr]
                    end.send(message, getattr(message, "size", 256))
            elif kind is Record:
                self._record(effect)  # type: ignore[arg-type]
            elif kind is Timer:
                self._set_timer(effect)  # type: ignore[arg-type]
            elif kind is Cancel:
                timer = self._timers.pop(effect.key, None)  # type: ignore[union-attr]
                if timer is not None:
                    timer.cancel()
            elif kind is Dial:
                self._dial(effect)  # type: ignore[arg-type]
            elif kind is Disconnect:
                self._disconnect(effect.connection)  # type: ignore[union-attr]

    def _record(self, effect: Record) -> None:
        self.host.kernel.trace.record(effect.kind, self.host.name, *effect.fields)
        if self.observer is not None:
            self.observer(self.host.name, effect)

    def _set_timer(self, effect: Timer) -> None:
        old = self._timers.get(effect.key)
        if old is not None:
            old.cancel()
        delay = self.host.clock.true_delay(max(effect.at_ns - self._now(), 0))
        alarm = self.host.kernel.after(delay, self._ring, effect.key)
        self._timers[effect.key] = alarm

    def _ring(self, key: Hashable) -> None:
        self.call(self._fire, key, self._timers[key])

    def _fire(self, key: Hashable, alarm: KernelTimer) -> None:
        if self._timers.get(key) is alarm:  # not set anew or cancelled while the server stood still
            del self._timers[key]
            self._carry_out(self.machine.fired(self._now(), key))

    def _dial(self, effect: Dial) -> None:
        host, port, kind = self.peers[effect.peer]

        def answered(end: End | None) -> None:
            connection = self._take(end) if end is not None else None
            self._carry_out(self.machine.dialled(self._now(), effect.tag, connection))

        self.host.network.connect(
            self.host.name, host, port, answered, lambda _: answered(None), self, kind
        )

    def _disconnect(self, connection: int) -> None:
        end = self._ends.pop(connection, None)
        if end is not None:
            end.close()
