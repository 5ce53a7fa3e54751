"""Messages between nodes in their plain form, both ways.

A write or a read names its table by id. Whoever gets one for a table it does not have raises
`UnknownTable`: the table was dropped, as a schema is told before anything that needs it.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from sim.scylla.ddl import Outcome, Wish
from sim.scylla.errors import CqlError
from sim.scylla.peers import Fetch, Found, Partitions, PeerMessage, Position, State
from sim.scylla.schema import Change
from sim.scylla.storage import Interval
from sim.tcp.codec import Malformed
from sim.tcp.cql.forms import (
    ChangeForm,
    Form,
    MutationForm,
    SchemaForm,
    Tables,
    of_change,
    of_mutation,
    of_schema,
)


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


def encode(message: PeerMessage) -> bytes:
    """Return the bytes of a message."""
    form = _FORMS.get(message.kind)
    content = form(message.content) if form is not None else ()
    return msgspec.msgpack.encode((message.kind, message.id, content))


def decode(packed: bytes, tables: Tables) -> PeerMessage:
    """Return the message that `packed` is, where `tables` are known."""
    envelope = _envelopes.decode(packed)
    read = _READERS.get(envelope.kind)
    if read is None:
        raise Malformed(f"an unknown kind of message between nodes: {envelope.kind}")
    decoder, build = read
    content = build(decoder.decode(envelope.content), tables)
    return PeerMessage(envelope.kind, envelope.id, content)


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
