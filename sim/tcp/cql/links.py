"""Links between nodes: the bytes of `sim.scylla.peers` messages on a connection of their own.

Each side first says who it is: the format of what follows, the cluster, its own name and whom it
means to talk to; the other side closes the connection if it is somebody else. The side that dialled
then tells its schema, so that no write arrives for a table that the other side never heard of.

    frame   length (4 bytes), MessagePack
    hello   [format, cluster, from, to]
    other   [kind, id, content]
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from sim.scylla.ddl import Outcome, Wish
from sim.scylla.errors import CqlError
from sim.scylla.node import Node
from sim.scylla.peers import Fetch, Found, Partitions, PeerMessage, Position, State
from sim.scylla.schema import Change
from sim.scylla.storage import Interval
from sim.tcp.codec import Codec, Malformed
from sim.tcp.cql.forms import (
    ChangeForm,
    Form,
    MutationForm,
    SchemaForm,
    Tables,
    UnknownTable,
    of_change,
    of_mutation,
    of_schema,
)
from sim.tcp.cql.pieces import Pieces

FORMAT = 1
_FRAME_BYTES_MAX = 256 * 1024 * 1024


class Hello(Form, frozen=True):
    """What both sides say first."""

    format: int
    cluster: str
    sender: str
    receiver: str


class Envelope(Form, frozen=True):
    """A message whose content is not looked into yet."""

    kind: str
    id: int
    content: msgspec.Raw


class FetchForm(Form, frozen=True):
    """A replica's part of a read."""

    table: bytes
    key: bytes | None
    intervals: tuple[Interval, ...]
    limit: int
    backwards: bool
    digest_only: bool
    scans: bool
    members: tuple[str, ...]
    start: Position | None
    tokens: tuple[int, int] | None


class FoundForm(Form, frozen=True):
    """A replica's answer to a read."""

    digest: bytes
    partitions: Partitions | None


class StateForm(Form, frozen=True):
    """What a node tells of itself."""

    generation: int
    schema: SchemaForm
    change: ChangeForm | None


class ErrorForm(Form, frozen=True):
    """Why a schema change was refused."""

    code: int
    message: str
    fields: dict[str, str]


class OutcomeForm(Form, frozen=True):
    """What became of a schema change."""

    state: StateForm
    error: ErrorForm | None


class WishForm(Form, frozen=True):
    """A schema change that a client wants."""

    text: str
    keyspace: str | None


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
        form = _FORMS.get(message.kind)
        content = form(message.content) if form is not None else ()
        frame = _framed((message.kind, message.id, content))
        unsaid, self._unsaid = self._unsaid, b""
        return unsaid + frame if unsaid else frame

    def _hello(self, receiver: str) -> bytes:
        return _framed(Hello(FORMAT, self._cluster, self._node.me.name, receiver))

    def _message(self, frame: bytes) -> PeerMessage | None:
        if not self._met:
            self._meet(_hellos.decode(frame))
            return None
        envelope = _envelopes.decode(frame)
        read = _READERS.get(envelope.kind)
        if read is None:
            raise Malformed(f"an unknown kind of message between nodes: {envelope.kind}")
        decoder, build = read
        try:
            content = build(decoder.decode(envelope.content), self._known())
        except UnknownTable:
            return None  # it was dropped here; whoever asks hears nothing, and times out
        return PeerMessage(envelope.kind, envelope.id, content)

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


def _framed(content: Any) -> bytes:
    packed = msgspec.msgpack.encode(content)
    return len(packed).to_bytes(4, "big") + packed


# from objects to forms


def _of_fetch(fetch: Fetch) -> FetchForm:
    return FetchForm(
        fetch.table.id,
        fetch.key,
        fetch.intervals,
        fetch.limit,
        fetch.backwards,
        fetch.digest_only,
        fetch.keyspace is not None,
        fetch.members,
        fetch.start,
        fetch.tokens,
    )


def _of_state(state: State) -> StateForm:
    return StateForm(state.generation, of_schema(state.schema), of_change(state.change))


def _of_outcome(outcome: Outcome) -> OutcomeForm:
    error = outcome.error
    if error is None:
        return OutcomeForm(_of_state(outcome.state), None)
    fields = {
        name: str(value) for name, value in error.fields.items()
    }  # only AlreadyExists has any
    return OutcomeForm(_of_state(outcome.state), ErrorForm(error.code, error.message, fields))


_FORMS: dict[str, Callable[[Any], Any]] = {
    "Write": of_mutation,
    "Hint": of_mutation,
    "Repair": of_mutation,
    "Fetch": _of_fetch,
    "FetchReply": lambda found: FoundForm(found.digest, found.partitions),
    "Echo": _of_state,
    "EchoReply": _of_state,
    "Adopt": _of_state,
    "AdoptReply": _of_state,
    "Truncate": lambda content: content,
    "Wish": lambda wish: WishForm(wish.text, wish.keyspace),
    "WishReply": _of_outcome,
}


# from forms to objects


def _mutation(form: MutationForm, tables: Tables) -> Any:
    return tables.mutation(form)


def _fetch(form: FetchForm, tables: Tables) -> Fetch:
    table = tables.find(form.table)
    return Fetch(
        table,
        form.key,
        form.intervals,
        form.limit,
        backwards=form.backwards,
        digest_only=form.digest_only,
        keyspace=tables.schema.keyspaces[table.keyspace] if form.scans else None,
        members=form.members,
        start=form.start,
        tokens=form.tokens,
    )


def _state(form: StateForm, tables: Tables) -> State:
    change = None if form.change is None else Change(*msgspec.structs.astuple(form.change))
    return State(form.generation, tables.schema_of(form.schema), change)


def _outcome(form: OutcomeForm, tables: Tables) -> Outcome:
    error = None
    if form.error is not None:
        error = CqlError(form.error.message)
        error.code, error.fields = form.error.code, {**form.error.fields}
    return Outcome(_state(form.state, tables), error)


_hellos = msgspec.msgpack.Decoder(Hello)
_envelopes = msgspec.msgpack.Decoder(Envelope)
_states = msgspec.msgpack.Decoder(StateForm)
_mutations = msgspec.msgpack.Decoder(MutationForm)
_nothing = msgspec.msgpack.Decoder(tuple[()])

_Reader = tuple[Any, Callable[[Any, Tables], Any]]
_READERS: dict[str, _Reader] = {
    **dict.fromkeys(("Write", "Hint", "Repair"), (_mutations, _mutation)),
    **dict.fromkeys(("Echo", "EchoReply", "Adopt", "AdoptReply"), (_states, _state)),
    **dict.fromkeys(("AppliedReply", "TruncateReply"), (_nothing, lambda *_: ())),
    "Fetch": (msgspec.msgpack.Decoder(FetchForm), _fetch),
    "FetchReply": (
        msgspec.msgpack.Decoder(FoundForm),
        lambda form, _: Found(form.digest, form.partitions),
    ),
    "Truncate": (msgspec.msgpack.Decoder(tuple[bytes]), lambda content, _: content),
    "Wish": (
        msgspec.msgpack.Decoder(WishForm),
        lambda form, _: Wish(form.text, form.keyspace),
    ),
    "WishReply": (msgspec.msgpack.Decoder(OutcomeForm), _outcome),
}
