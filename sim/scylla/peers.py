"""What nodes say to each other: one small message class, and what may be its content."""

import marshal
from typing import Any

from sim.scylla.cql.writes import Mutation
from sim.scylla.schema import Change, Schema
from sim.scylla.storage import Interval, Update
from sim.scylla.table import Key, Keyspace, Table

Partitions = tuple[tuple[bytes, Update], ...]  # what a replica found: (partition key, its rows)
Position = tuple[int, bytes, Key]  # token, partition key, row: where a scan goes on


class PeerMessage:
    """A message between nodes. A reply has the `id` of its question and the kind + ``Reply``."""

    __slots__ = ("_packed", "content", "id", "kind")

    def __init__(self, kind: str, id_: int, content: Any) -> None:
        self.kind = kind
        self.id = id_
        self.content = content
        self._packed: bytes | None = None

    @property
    def size(self) -> int:
        """About as many bytes as it has."""
        return len(self.fingerprint())

    def fingerprint(self) -> bytes:
        """Return bytes that change with every part of the message."""
        if self._packed is None:
            content = self.content
            packed = content.packed() if hasattr(content, "packed") else marshal.dumps(content, 2)
            self._packed = b"%b %d " % (self.kind.encode(), self.id) + packed
        return self._packed


class Fetch:
    """A replica's part of a read: rows of one partition, or of all that `members` hold."""

    __slots__ = (
        "_packed",
        "backwards",
        "digest_only",
        "intervals",
        "key",
        "keyspace",
        "limit",
        "members",
        "start",
        "table",
        "tokens",
    )

    def __init__(  # noqa: PLR0913 - a record
        self,
        table: Table,
        key: bytes | None,
        intervals: tuple[Interval, ...],
        limit: int,
        *,
        backwards: bool = False,
        digest_only: bool = False,
        keyspace: Keyspace | None = None,
        members: tuple[str, ...] = (),
        start: Position | None = None,
        tokens: tuple[int, int] | None = None,
    ) -> None:
        self.table = table
        self.key = key
        self.intervals = intervals
        self.limit = limit  # living rows; 0: all
        self.backwards = backwards
        self.digest_only = digest_only
        self.keyspace = keyspace
        self.members = members
        self.start = start
        self.tokens = tokens  # of a scan: the lowest and the highest that are meant
        self._packed: bytes | None = None

    def __deepcopy__(self, _: object) -> "Fetch":
        return self

    def but(self, *, limit: int, digest_only: bool) -> "Fetch":
        """Return the same read with another limit or another answer."""
        return Fetch(
            self.table,
            self.key,
            self.intervals,
            limit,
            backwards=self.backwards,
            digest_only=digest_only,
            keyspace=self.keyspace,
            members=self.members,
            start=self.start,
            tokens=self.tokens,
        )

    def packed(self) -> bytes:
        """Return the content as bytes."""
        if self._packed is None:
            content = (
                self.table.id,
                self.key,
                self.intervals,
                self.limit,
                self.backwards,
                self.digest_only,
                self.members,
                self.start,
                *(self.tokens or ()),
            )
            self._packed = marshal.dumps(content, 2)
        return self._packed


class Found:
    """A replica's answer to a `Fetch`: a digest, and the rows if they were asked for."""

    __slots__ = ("digest", "partitions")

    def __init__(self, digest: bytes, partitions: Partitions | None) -> None:
        self.digest = digest
        self.partitions = partitions

    def packed(self) -> bytes:
        """Return the content as bytes; the digest is one of all rows."""
        return self.digest if self.partitions is None else self.digest + b"+"


class State:
    """What a node tells with every echo: which incarnation it is and its schema."""

    __slots__ = ("change", "generation", "schema")

    def __init__(self, generation: int, schema: Schema, change: Change | None = None) -> None:
        self.generation = generation
        self.schema = schema
        self.change = change

    def __deepcopy__(self, _: object) -> "State":
        return self

    def packed(self) -> bytes:
        """Return the content as bytes; the schema's version stands for it."""
        return b"%d %b" % (self.generation, self.schema.version.bytes)


__all__ = ["Fetch", "Found", "Mutation", "Partitions", "PeerMessage", "Position", "State"]
