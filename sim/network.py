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
from typing import TYPE_CHECKING, Any

import simpy

from sim.connection import End, Listener, Owner, ignore, reset
from sim.kernel import MILLISECOND, NORMAL, SECOND, Kernel
from sim.packet import Delay, Link, Packet, Rule, Sever, Tally

if TYPE_CHECKING:
    from sim.host import Host

_RTO = 200 * MILLISECOND  # first retransmission timeout of Linux
_GIVE_UP = 900 * SECOND  # about tcp_retries2 = 15
_SYN_RETRIES = (1, 3, 7, 15, 31, 63)  # seconds after the first try; then ETIMEDOUT at 127 s


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
                self._schedule(peer, _Goodbye(reset()), self._latency(0))
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
        self.kernel.after(delay, end.lost, reset())
        self.kernel.after(delay, end.peer.lost, reset())

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
        listener, accept = self.listeners.get((dial.target, dial.port), (None, ignore))
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
