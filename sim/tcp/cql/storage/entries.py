"""Entries: what happened to a node, as it stands in the commit log and in snapshots."""

import time
from collections.abc import Callable, Iterable, Iterator

import msgspec

from sim.machine import Record
from sim.scylla.hints import Hint
from sim.scylla.node import Node
from sim.scylla.storage import NEVER
from sim.tcp.cql.forms import (
    Form,
    MutationForm,
    SchemaForm,
    Tables,
    UnknownTable,
    of_mutation,
    of_schema,
)

_ROWS_AT_ONCE = 1000


class Started(Form, frozen=True, tag=1):
    """The node began to serve for the n-th time."""

    generation: int


class Adopted(Form, frozen=True, tag=2):
    """The node took a version of the schema."""

    schema: SchemaForm


class Wrote(Form, frozen=True, tag=3):
    """The node applied a write."""

    mutation: MutationForm


class Dropped(Form, frozen=True, tag=4):
    """The node forgot the rows of a table."""

    table: bytes


class Hinted(Form, frozen=True, tag=5):
    """The node keeps a write for another node that missed it, since a wall-clock time in ns."""

    peer: str
    id: int
    stored_ns: int
    mutation: MutationForm


class HintGone(Form, frozen=True, tag=6):
    """A hint has arrived or is too old."""

    peer: str
    id: int


class End(Form, frozen=True, tag=7):
    """A snapshot is whole."""


Entry = Started | Adopted | Wrote | Dropped | Hinted | HintGone | End
decode = msgspec.msgpack.Decoder(list[Entry]).decode
encode = msgspec.msgpack.Encoder().encode


class Recorder:
    """Turns the state changes that a node tells into entries."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._makers: dict[str, Callable[[Record], Entry]] = {
            "cql-start": lambda record: Started(*record.fields),  # type: ignore[arg-type]
            "cql-schema": lambda _: Adopted(of_schema(self._node.schema)),
            "cql-write": lambda record: Wrote(of_mutation(record.subject)),
            "cql-drop": lambda record: Dropped(*record.fields),  # type: ignore[arg-type]
            "cql-hint": self._hinted,
            "cql-hint-gone": lambda record: HintGone(*record.fields),  # type: ignore[arg-type]
        }

    def entries(self, records: Iterable[Record]) -> list[Entry]:
        """Return the entries of some state changes."""
        makers = self._makers
        return [makers[record.kind](record) for record in records if record.kind in makers]

    def _hinted(self, record: Record) -> Hinted:
        peer, id_, _ = record.fields
        return Hinted(peer, id_, time.time_ns(), of_mutation(record.subject))  # type: ignore[arg-type]


def snapshot(node: Node, now_ns: int) -> Iterator[Entry]:
    """Yield the entries that make a node what it is at `now_ns` of the wall clock."""
    yield Started(node.generation)
    yield Adopted(of_schema(node.schema))
    for shelf in node.replica.store.shelves.values():
        for partition in shelf.partitions.values():
            tombstone, ranges, rows = partition.everything()
            for start in range(0, max(len(rows), 1), _ROWS_AT_ONCE):
                update = tombstone, ranges, rows[start : start + _ROWS_AT_ONCE]
                yield Wrote(MutationForm(shelf.table.id, partition.key, update))
                tombstone, ranges = NEVER, ()
    elapsed = node.machinery.elapsed
    for peer, hints in node.hints.kept.items():
        for id_, hint in hints.items():
            stored_ns = now_ns - elapsed + hint.stored_at
            yield Hinted(peer, id_, stored_ns, of_mutation(hint.mutation))
    yield End()


class Restoring:
    """Makes a new node what the entries say, in their order."""

    def __init__(self, node: Node, now_ns: int) -> None:
        self._node = node
        self._now_ns = now_ns
        self._tables = Tables(node.schema)
        self.ended = False  # whether the last entry was the end of a snapshot

    def take(self, entries: Iterable[Entry]) -> None:
        """Apply entries."""
        for entry in entries:
            self.ended = isinstance(entry, End)
            try:
                self._take(entry)
            except UnknownTable:
                continue  # it was dropped since

    def _take(self, entry: Entry) -> None:
        node = self._node
        match entry:
            case Wrote(form):
                node.replica.store.apply(self._tables.mutation(form), 0)
            case Adopted(form):
                node.schema = self._tables.schema_of(form)
                self._tables = Tables(node.schema)
            case Dropped(table):
                node.replica.drop(table)
            case Started(generation):
                node.generation = generation
            case Hinted(peer, id_, stored_ns, form):
                stored_at = node.machinery.elapsed + stored_ns - self._now_ns
                hint = Hint(self._tables.mutation(form), stored_at)
                node.hints.restore(node.machinery, peer, id_, hint)
            case HintGone(peer, id_):
                node.hints.kept[peer].pop(id_, None)
