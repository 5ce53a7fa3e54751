"""The network: ordered connections between hosts, with latency, loss and cuts.

**Faithful** (TCP as programs see it, RFC 9293): bytes arrive in order or the connection ends; a
lost segment costs a retransmission timeout, doubled each time (RFC 6298); a cut direction holds
what is sent until it heals or the sender gives up; a dead process closes its connections, a host
without power says nothing, and one that came back answers old connections with a reset; a peer
that is reset may or may not have got what was sent last.
**Simplified**: no congestion control and no bandwidth other than `bytes_per_second`; a message is
never split or duplicated (TCP hides both); host names need no DNS.
"""

import errno
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from math import log as _log
from typing import TYPE_CHECKING, Any, Protocol

import simpy

from sim.kernel import MILLISECOND, NORMAL, SECOND, Kernel
from sim.machine import Message

if TYPE_CHECKING:
    from sim.host import Host

_RTO = 200 * MILLISECOND  # first retransmission timeout of Linux
_GIVE_UP = 900 * SECOND  # about tcp_retries2 = 15
_SYN_RETRIES = (1, 3, 7, 15, 31, 63)  # seconds after the first try; then ETIMEDOUT at 127 s


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


@dataclass(frozen=True, slots=True)
class Packet:
    """One message on its way, as rules see it."""

    source: str
    target: str
    protocol: str  # "http", "kafka", "cql", "broker" ...
    kind: str  # "Produce", "ProduceResponse", "EXECUTE", "bytes" ...
    size: int


@dataclass(frozen=True, slots=True)
class Delay:
    """A rule's wish: deliver `delay_ns` later."""

    delay_ns: int


class Sever:
    """A rule's wish: the packet is lost and the connection with it; both sides see a reset."""


Rule = Callable[[Packet], Delay | type[Sever] | None]


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
        self.on_message: Callable[[Any], None] = _ignore
        self.on_close: Callable[[OSError | None], None] = _ignore
        self.outgoing = _Direction()
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
        self._end(_reset())

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


class _Direction:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Latency between two hosts: `base_ns` plus an exponential part with mean `jitter_ns`."""

    base_ns: int = 60_000
    jitter_ns: int = 40_000
    bytes_per_second: int = 1_000_000_000


class Tally:
    """Counts what a cut held back."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held = 0


class Network:
    """Carries messages between the ends of connections."""

    def __init__(self, kernel: Kernel, link: Link | None = None) -> None:
        self.kernel = kernel
        self.link = link or Link()
        self.hosts: dict[str, Host] = {}
        self.addresses: dict[str, str] = {}  # IP address or other name -> host name
        self.listeners: dict[tuple[str, int], tuple[Listener, Callable[[End], None]]] = {}
        self.delivered: dict[str, int] = {}  # kind of message -> how many arrived
        self._random = kernel.stream("network").random
        self._rules: list[Rule] = []
        self._cuts: dict[tuple[str, str], list[Tally]] = {}
        self._holding: list[End] = []
        self._arrivals: list[Callable[[simpy.Event], None]] = [self._arrive]

    def resolve(self, name: str) -> str:
        """Return the host called `name`, or with that address; OSError if there is none."""
        found = self.addresses.get(name, name)
        if found not in self.hosts:
            raise OSError(errno.ENOENT, f"no host is called {name}")
        return found

    def listen(self, host: str, port: int, accept: Callable[[End], None], owner: Owner) -> Listener:
        """Let `accept` have the server's end of every connection to (host, port)."""
        if (host, port) in self.listeners:
            raise OSError(errno.EADDRINUSE, f"{host}:{port} is in use")
        listener = Listener(self, host, port, owner)
        self.listeners[host, port] = listener, accept
        return listener

    def connect(
        self,
        source: str,
        host: str,
        port: int,
        connected: Callable[[End], None],
        failed: Callable[[OSError], None],
        owner: Owner,
        kind: str = "tcp",
    ) -> None:
        """Connect; one of the two callbacks follows, on behalf of `owner`."""
        try:
            target = self.resolve(host)
        except OSError as error:
            self.kernel.after(0, owner.call, failed, error)
            return
        self._knock(_Dial(source, target, port, connected, failed, owner, kind))

    @contextmanager
    def rule(self, rule: Rule) -> Generator[None]:
        """Ask `rule` about every packet for as long as the block lasts."""
        self._rules.append(rule)
        try:
            yield
        finally:
            self._rules.remove(rule)

    @contextmanager
    def cut(self, source: str, target: str) -> Generator["Tally"]:
        """Let nothing pass from `source` to `target` for as long as the block lasts."""
        tally = Tally()
        cuts = self._cuts.setdefault((source, target), [])
        cuts.append(tally)
        try:
            yield tally
        finally:
            cuts.remove(tally)
            if not cuts:
                del self._cuts[source, target]
                self._release()

    def passes(self, source: str, target: str) -> bool:
        """Whether a packet would get from `source` to `target` now."""
        return (source, target) not in self._cuts and self.hosts[target].powered

    def booted(self, host: str) -> None:
        """Learn that `host` has power again: old connections to it are reset."""
        self.kernel.trace.record("boot", host)
        self._release()

    def carry(self, end: End, message: Any, size: int) -> None:
        """Send `message` from `end` to its peer."""
        if (
            end.outgoing.held
            or not end.receiver.powered
            or (self._cuts and (end.source, end.target) in self._cuts)
        ):
            self._hold(end, message, size)
            return
        link = self.link
        jitter = int(-_log(1.0 - self._random()) * link.jitter_ns)
        delay = link.base_ns + jitter + size * SECOND // link.bytes_per_second
        if self._rules:
            kind = "bytes" if type(message) is bytes else message.kind
            packet = Packet(end.source, end.target, end.kind, kind, size)
            for rule in list(self._rules):
                wish = rule(packet)
                if wish is Sever:
                    self._sever(end, delay)
                    return
                if isinstance(wish, Delay):
                    delay += wish.delay_ns
        self._schedule(end, message, delay)

    def goodbye(self, end: End, error: OSError | None) -> None:
        """Carry a FIN (no error) or a RST behind what was sent."""
        if end.outgoing.held or not self.passes(end.source, end.target):
            self._hold(end, _Goodbye(error), 0)
        else:
            self._schedule(end, _Goodbye(error), self._latency(0))

    def _schedule(self, end: End, message: Any, delay: int) -> None:
        """Let `message` arrive after `delay`, but behind what was sent before."""
        env = self.kernel.env
        direction = end.outgoing
        now: int = env._now  # type: ignore[assignment] # noqa: SLF001
        arrives = now + delay
        if arrives <= direction.arrives:
            arrives = direction.arrives + 1
        direction.arrives = arrives
        arrival = _new(_Arrival)
        arrival.callbacks = self._arrivals
        arrival.end = end
        arrival.message = message
        env.schedule(arrival, NORMAL, arrives - now)

    def _arrive(self, arrival: Any) -> None:
        end, message = arrival.end, arrival.message
        if not end.receiver.powered or (self._cuts and (end.source, end.target) in self._cuts):
            self._hold(end, message, 0)
            return
        peer = end.peer
        if type(message) is _Goodbye:
            peer.lost(message.error)
            return
        if peer.closed:
            if not end.closed:
                self._schedule(peer, _Goodbye(_reset()), self._latency(0))
            return
        if type(message) is bytes:
            kind = "bytes"
            self.kernel.trace.record("net", end.source, end.target, message)
        else:
            kind = message.kind
            self.kernel.trace.record("net", end.source, end.target, kind, message.fingerprint())
        self.delivered[kind] = self.delivered.get(kind, 0) + 1
        owner = peer.owner
        if owner.alive and not owner.paused:
            peer.on_message(message)
        else:
            owner.call(peer.deliver, message)

    def _sever(self, end: End, delay: int) -> None:
        self.kernel.trace.record("sever", end.source, end.target)
        self.kernel.after(delay, end.lost, _reset())
        self.kernel.after(delay, end.peer.lost, _reset())

    def _hold(self, end: End, message: Any, size: int) -> None:
        direction = end.outgoing
        if not direction.held:
            direction.held_since = self.kernel.now
            self._holding.append(end)
            self.kernel.after(_GIVE_UP, self._give_up, end, direction.held_since)
        direction.held.append((message, size))
        self._count_held(end.source, end.target)

    def _count_held(self, source: str, target: str) -> None:
        for tally in self._cuts.get((source, target), ()):
            tally.held += 1

    def _give_up(self, end: End, since: int) -> None:
        if end.outgoing.held and end.outgoing.held_since == since:
            end.outgoing.held.clear()
            self._holding.remove(end)
            end.lost(OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)))

    def _release(self) -> None:
        """Send again what was held and may pass now, after a retransmission timeout each."""
        holding, self._holding = self._holding, []
        for end in holding:
            if not self.passes(end.source, end.target):
                self._holding.append(end)
                continue
            held, end.outgoing.held = end.outgoing.held, []
            waited = max(self.kernel.now - end.outgoing.held_since, _RTO)
            backoff = int(self._random() * min(waited, 60 * SECOND))
            for message, _ in held:
                self._schedule(end, message, backoff)

    def _latency(self, size: int) -> int:
        link = self.link
        jitter = int(-_log(1.0 - self._random()) * link.jitter_ns)
        return link.base_ns + jitter + size * SECOND // link.bytes_per_second

    def _knock(self, dial: "_Dial", tried: int = 0) -> None:
        if not dial.owner.alive:
            return
        there = self.passes(dial.source, dial.target)
        if there and self.passes(dial.target, dial.source):
            self.kernel.after(2 * self._latency(60), self._open, dial)
            return
        self._count_held(dial.source, dial.target)
        self._count_held(dial.target, dial.source)
        if tried < len(_SYN_RETRIES):
            last = _SYN_RETRIES[tried - 1] if tried else 0
            wait = (_SYN_RETRIES[tried] - last) * SECOND
            self.kernel.after(wait, self._knock, dial, tried + 1)
        else:
            failed = OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
            dial.owner.call(dial.failed, failed)

    def _open(self, dial: "_Dial") -> None:
        listener, accept = self.listeners.get((dial.target, dial.port), (None, _ignore))
        if listener is None or not listener.owner.alive or not dial.owner.alive:
            refused = ConnectionRefusedError(
                errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED) + f" {dial.target}:{dial.port}"
            )
            dial.owner.call(dial.failed, refused)
            return
        near = End(self, dial.source, dial.target, dial.kind, dial.owner)
        far = End(self, dial.target, dial.source, dial.kind, listener.owner)
        near.peer, far.peer = far, near
        self.kernel.trace.record("connect", dial.source, dial.target, dial.port)
        listener.owner.call(accept, far)
        dial.owner.call(dial.connected, near)


class _Arrival(simpy.Event):
    """A message reaches the other end; made by hand, because most events are one of these."""

    __slots__ = ("end", "message")

    _value = None
    _ok = True
    end: End
    message: Any


_new: Callable[[type[_Arrival]], _Arrival] = object.__new__


@dataclass(frozen=True, slots=True)
class _Goodbye:
    error: OSError | None


@dataclass(frozen=True, slots=True)
class _Dial:
    source: str
    target: str
    port: int
    connected: Callable[[End], None]
    failed: Callable[[OSError], None]
    owner: Owner
    kind: str


def _reset() -> OSError:
    return ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))


def _ignore(*_: Any) -> None:
    """Take what nobody waits for."""
