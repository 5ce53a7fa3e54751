"""Links between nodes: the bytes of `sim.scylla.peers` messages on a connection of their own.

Each side first says who it is: the format of what follows, the cluster, its own name and whom it
means to talk to; the other side closes the connection if it is somebody else. The side that dialled
then tells its schema, so that no write arrives for a table that the other side never heard of.

    frame   length (4 bytes), MessagePack
    hello   [format, cluster, from, to]
    other   [kind, id, content]
"""

from collections.abc import Iterator

import msgspec

from sim.scylla.node import Node
from sim.scylla.peers import PeerMessage
from sim.tcp.codec import Codec, Malformed
from sim.tcp.cql import messages
from sim.tcp.cql.forms import Form, Tables, UnknownTable
from sim.tcp.cql.pieces import Pieces

FORMAT = 1
_FRAME_BYTES_MAX = 256 * 1024 * 1024


class Hello(Form, frozen=True):
    """What both sides say first."""

    format: int
    cluster: str
    sender: str
    receiver: str


_hellos = msgspec.msgpack.Decoder(Hello)


class Link(Codec):
    """One connection between this node and another."""

    def __init__(self, node: Node, cluster: str, *, dialled: str | None = None) -> None:
        super().__init__(dialled)
        self._node = node
        self._cluster = cluster
        self._tables = Tables(node.schema)
        self._pieces = Pieces()
        self._met = False
        self._unsaid = b""  # our hello, on a connection that the other side opened
        if dialled is not None:
            echo = PeerMessage("Echo", 0, node.state())
            self.greeting = self._hello(dialled) + self.encode(echo)

    def decode(self, data: bytes) -> Iterator[PeerMessage]:
        """Yield the messages that are whole now."""
        content = self._pieces.joined(data)
        at, needed = 0, 4
        try:
            while len(content) - at >= 4:
                size = int.from_bytes(content[at : at + 4], "big")
                if size > _FRAME_BYTES_MAX:
                    raise Malformed(f"a message of {size} bytes between nodes")
                if len(content) - at - 4 < size:
                    needed = 4 + size
                    break
                start, at = at + 4, at + 4 + size
                message = self._message(content[start:at])
                if message is not None:
                    yield message
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Malformed(f"no message between nodes: {error}") from None
        finally:
            self._pieces.keep(content[at:], needed)

    def encode(self, message: PeerMessage) -> bytes:  # type: ignore[override]
        """Return the bytes of a message, after our hello if it was not said yet."""
        frame = _framed(messages.encode(message))
        unsaid, self._unsaid = self._unsaid, b""
        return unsaid + frame if unsaid else frame

    def _hello(self, receiver: str) -> bytes:
        hello = Hello(FORMAT, self._cluster, self._node.me.name, receiver)
        return _framed(msgspec.msgpack.encode(hello))

    def _message(self, frame: bytes) -> PeerMessage | None:
        if not self._met:
            self._meet(_hellos.decode(frame))
            return None
        try:
            return messages.decode(frame, self._known())
        except UnknownTable:
            return None  # whoever asks hears nothing, and times out

    def _known(self) -> Tables:
        if self._tables.schema is not self._node.schema:
            self._tables = Tables(self._node.schema)
        return self._tables

    def _meet(self, hello: Hello) -> None:
        me = self._node.me.name
        if hello.format != FORMAT:
            raise Malformed(f"node {hello.sender} speaks format {hello.format}, not {FORMAT}")
        if hello.cluster != self._cluster:
            raise Malformed(f"a node of cluster {hello.cluster!r}, not {self._cluster!r}")
        known = hello.sender in self._node.ring.peers and hello.sender != me
        if hello.receiver != me or not known or self.peer not in {None, hello.sender}:
            raise Malformed(f"{hello.sender} looks for {hello.receiver}; this is {me}")
        self._met = True
        if self.peer is None:
            self.peer = hello.sender
            self._unsaid = self._hello(hello.sender)


def _framed(packed: bytes) -> bytes:
    return len(packed).to_bytes(4, "big") + packed
