"""Connections: their ends, and who listens for them."""

import errno
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from sim.machine import Message

if TYPE_CHECKING:
    from sim.network import Network


class Owner(Protocol):
    """Whoever holds an end: a process or a server. Its callbacks wait while it is paused."""

    @property
    def alive(self) -> bool:
        """Whether it still runs."""

    @property
    def paused(self) -> bool:
        """Whether it stands still for a while."""

    on_death: list[Callable[[], None]]

    def call(self, function: Callable[..., Any], *args: Any) -> None:
        """Call now, when it goes on, or never."""


class End:
    """One end of a connection. Set `on_message` and `on_close` as soon as you have it."""

    __slots__ = (
        "_net",
        "closed",
        "kind",
        "on_close",
        "on_message",
        "outgoing",
        "owner",
        "peer",
        "receiver",
        "source",
        "target",
    )

    def __init__(self, net: "Network", source: str, target: str, kind: str, owner: Owner) -> None:
        self._net = net
        self.source = source
        self.target = target
        self.receiver = net.hosts[target]
        self.kind = kind
        self.owner = owner
        self.closed = False
        self.peer: End = self
        self.on_message: Callable[[Any], None] = ignore
        self.on_close: Callable[[OSError | None], None] = ignore
        self.outgoing = Direction()
        owner.on_death.append(self._owner_died)

    def send(self, message: Message | bytes, size: int) -> None:
        """Send; nothing is said if the connection is dead, as with a socket before the reset."""
        if not self.closed:
            self._net.carry(self, message, size)

    def close(self) -> None:
        """Say goodbye after everything sent so far (FIN)."""
        self._end(None)

    def abort(self) -> None:
        """End the connection at once (RST)."""
        self._end(reset())

    def _end(self, error: OSError | None) -> None:
        if not self.closed:
            self.closed = True
            self._net.goodbye(self, error)

    def _owner_died(self) -> None:
        host = self._net.hosts[self.source]
        if host.powered:
            self.close()
        else:
            self.closed = True

    def lost(self, error: OSError | None) -> None:
        """Learn from the network that the connection has ended.

        An owner that is paused learns it when it goes on, behind what came before: that waits in
        its socket, and is read first, whatever became of the connection.
        """
        self.owner.call(self._over, error)

    def _over(self, error: OSError | None) -> None:
        if not self.closed:
            self.closed = True
            self.on_close(error)

    def deliver(self, message: Any) -> None:
        """Hand a message to the owner, unless the end was closed meanwhile."""
        if not self.closed:
            self.on_message(message)


class Direction:
    """What one end has sent: when its last packet arrives, and what is held."""

    __slots__ = ("arrives", "held", "held_since")

    def __init__(self) -> None:
        self.arrives = 0
        self.held: list[tuple[Any, int]] = []
        self.held_since = 0


class Listener:
    """Accepts connections at (host, port) until closed or its owner dies."""

    def __init__(self, net: "Network", host: str, port: int, owner: Owner) -> None:
        self._net, self.host, self.port, self.owner = net, host, port, owner
        owner.on_death.append(self.close)

    def close(self) -> None:
        """Stop listening."""
        if self._net.listeners.get((self.host, self.port), (None,))[0] is self:
            del self._net.listeners[self.host, self.port]


def reset() -> OSError:
    return ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))


def ignore(*_: Any) -> None:
    """Take what nobody waits for."""
