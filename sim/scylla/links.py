"""Links to the other nodes: one dialled connection per peer for questions, replies on the same.

**Faithful**: connections are made when first needed; what is sent meanwhile waits; a refused or
broken connection fails the questions on it at once, a silent one never does (timeouts of the
requests and the failure detector deal with it); questions whose time is over are not sent late.
**Simplified**: one connection per direction instead of several per shard; a connection that does
not come about is dialled anew every 10 s.
"""

from collections.abc import Callable
from typing import Any

from sim.machine import Dial, Disconnect, Send
from sim.scylla.machinery import Machinery
from sim.scylla.peers import PeerMessage

SECOND = 10**9
_REDIAL_NS = 10 * SECOND

Failed = Callable[[str, PeerMessage], None]


class Link:
    """One node's side towards a peer."""

    __slots__ = ("asked", "connection", "dialled_at", "queue", "tag")

    def __init__(self) -> None:
        self.connection: int | None = None
        self.tag = 0  # of the dial under way; 0: none
        self.dialled_at = 0
        self.queue: list[tuple[int, PeerMessage]] = []  # (not after, question)
        self.asked: dict[int, PeerMessage] = {}


class Links:
    """All links of a node."""

    def __init__(self, machinery: Machinery, names: list[str]) -> None:
        self.machinery = machinery
        self.links = {name: Link() for name in names}
        self.by_connection: dict[int, str] = {}
        self._dials = 0

    def ask(self, peer: str, message: PeerMessage, timeout_ns: int) -> None:
        """Send a question to `peer`, as soon as there is a connection."""
        link = self.links[peer]
        if link.connection is not None:
            link.asked[message.id] = message
            self.machinery.do(Send(link.connection, message))
            return
        now = self.machinery.elapsed
        link.queue.append((now + timeout_ns, message))
        if not link.tag or now - link.dialled_at >= _REDIAL_NS:
            link.queue = [item for item in link.queue if now <= item[0]]
            self._dials += 1
            link.tag = self._dials
            link.dialled_at = now
            self.machinery.do(Dial(peer, (peer, link.tag)))

    def dialled(self, tag: Any, connection: int | None) -> list[tuple[str, PeerMessage]]:
        """Take the answer to a dial; return the questions that failed with it."""
        peer, number = tag
        link = self.links[peer]
        if number != link.tag:
            if connection is not None:
                self.machinery.do(Disconnect(connection))
            return []
        link.tag = 0
        queue, link.queue = link.queue, []
        if connection is None:
            return [(peer, message) for _, message in queue]
        link.connection = connection
        self.by_connection[connection] = peer
        now = self.machinery.elapsed
        for not_after, message in queue:
            if now <= not_after:
                link.asked[message.id] = message
                self.machinery.do(Send(connection, message))
        return []

    def replied(self, connection: int, message: PeerMessage) -> str | None:
        """Return the peer that answers, if it was asked this."""
        peer = self.by_connection.get(connection)
        if peer is not None:
            self.links[peer].asked.pop(message.id, None)
        return peer

    def broken(self, connection: int) -> list[tuple[str, PeerMessage]]:
        """Learn that a connection is gone; return the questions that failed with it."""
        peer = self.by_connection.pop(connection, None)
        if peer is None:
            return []
        link = self.links[peer]
        link.connection = None
        asked, link.asked = link.asked, {}
        return [(peer, message) for message in asked.values()]

    def cut(self, peer: str) -> list[tuple[str, PeerMessage]]:
        """Give up the connection to a peer that is taken for dead."""
        link = self.links[peer]
        link.tag = 0
        queue, link.queue = link.queue, []
        failed = [(peer, message) for _, message in queue]
        if link.connection is not None:
            self.machinery.do(Disconnect(link.connection))
            failed += self.broken(link.connection)
        return failed
