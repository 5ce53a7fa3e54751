"""What travels between clients and nodes: the native protocol v4 as objects.

A request or response is a frame (version or stream, kind) and a body of plain immutable values, so
that a TCP shell needs to decode and encode frames and nothing else. `fingerprint` covers the whole.
"""

import marshal
from typing import Any, NamedTuple

from sim.scylla.cql.binding import Bound, Parameters
from sim.scylla.cql.selects import Cells, Output
from sim.scylla.errors import CqlError
from sim.scylla.schema import Change

VERSION = 4  # of the native protocol, and the greatest that nodes speak
LOWEST_VERSION = 3


class Batch(NamedTuple):
    """What a BATCH holds: its kind, and texts or ids of prepared statements with their values."""

    kind: str  # LOGGED, UNLOGGED or COUNTER
    parts: tuple[tuple[str | bytes, Parameters], ...]


class Request:
    """One frame from a client; `kind` is the opcode's name, such as ``EXECUTE``."""

    __slots__ = (
        "_packed",
        "batch",
        "events",
        "kind",
        "level",
        "names",
        "page_size",
        "paging_state",
        "parameters",
        "query_id",
        "serial_level",
        "stream",
        "text",
        "timestamp",
        "version",
    )

    def __init__(self, kind: str, stream: int, *, version: int = VERSION, text: str = "") -> None:
        self.kind = kind
        self.stream = stream
        self.version = version
        self.text = text
        self.query_id = b""
        self.parameters: Parameters = ()
        self.names: tuple[str, ...] = ()  # of the parameters, if the client names them
        self.level = 1
        self.serial_level: int | None = None
        self.page_size: int | None = None
        self.paging_state: bytes | None = None
        self.timestamp: int | None = None
        self.events: tuple[str, ...] = ()
        self.batch: Batch | None = None
        self._packed: bytes | None = None

    @property
    def size(self) -> int:
        """About as many bytes as the frame has."""
        return len(self.fingerprint())

    def fingerprint(self) -> bytes:
        """Return bytes that change with every part of the frame."""
        if self._packed is None:
            content = (
                self.kind,
                self.stream,
                self.version,
                self.text,
                self.query_id,
                self.parameters,
                self.level,
                self.serial_level,
                self.page_size,
                self.paging_state,
                self.timestamp,
                self.events,
                *self.names,
            )
            whole = content if self.batch is None else (content, self.batch.kind, self.batch.parts)
            self._packed = marshal.dumps(whole, 2)
        return self._packed


class Body:
    """The content of a response: immutable, packed once however often it is sent."""

    __slots__ = ("_packed", "decoded")
    kind = "RESULT"

    def __init__(self) -> None:
        self._packed: bytes | None = None
        self.decoded: Any = None  # what a client made of it, if it may be shared

    def content(self) -> tuple[Any, ...]:
        """Return everything in the body as plain values."""
        return ()

    def packed(self) -> bytes:
        """Return the content as bytes."""
        if self._packed is None:
            self._packed = marshal.dumps((type(self).__name__, *self.content()), 2)
        return self._packed

    def __deepcopy__(self, _: object) -> "Body":
        return self


class Response:
    """One frame to a client; events have stream -1."""

    __slots__ = ("body", "stream")

    def __init__(self, stream: int, body: Body) -> None:
        self.stream = stream
        self.body = body

    @property
    def kind(self) -> str:
        """The opcode's name."""
        return self.body.kind

    @property
    def size(self) -> int:
        """About as many bytes as the frame has."""
        return 9 + len(self.body.packed())

    def fingerprint(self) -> bytes:
        """Return bytes that change with every part of the frame."""
        return self.stream.to_bytes(2, "big", signed=True) + self.body.packed()


class Ready(Body):
    """The connection may be used."""

    __slots__ = ()
    kind = "READY"


class Supported(Body):
    """What the node can do."""

    __slots__ = ()
    kind = "SUPPORTED"
    options = (("COMPRESSION", ()), ("CQL_VERSION", ("3.3.1",)))

    def content(self) -> tuple[Any, ...]:
        """Return the options."""
        return (self.options,)


class Void(Body):
    """A write or a truncation is done."""

    __slots__ = ()


class SetKeyspace(Body):
    """USE is done."""

    __slots__ = ("keyspace",)

    def __init__(self, keyspace: str) -> None:
        super().__init__()
        self.keyspace = keyspace

    def content(self) -> tuple[Any, ...]:
        """Return the keyspace."""
        return (self.keyspace,)


class SchemaChanged(Body):
    """A CREATE or DROP is done."""

    __slots__ = ("change",)

    def __init__(self, change: Change) -> None:
        super().__init__()
        self.change = change

    def content(self) -> tuple[Any, ...]:
        """Return the change."""
        return tuple(self.change)


class Rows(Body):
    """One page of a result."""

    __slots__ = ("outputs", "paging_state", "rows", "shared")

    def __init__(
        self,
        outputs: tuple[Output, ...],
        rows: tuple[Cells, ...],
        paging_state: bytes | None,
        *,
        shared: bool = False,
    ) -> None:
        super().__init__()
        self.outputs = outputs
        self.rows = rows
        self.paging_state = paging_state
        self.shared = shared  # sent many times: worth decoding once

    def content(self) -> tuple[Any, ...]:
        """Return columns, rows and the paging state."""
        return (
            [(*output[:3], output[3].name) for output in self.outputs],
            self.rows,
            self.paging_state,
        )


class Prepared(Body):
    """A statement is known under an id."""

    __slots__ = ("bound", "outputs", "query_id", "routing")

    def __init__(
        self,
        query_id: bytes,
        bound: tuple[Bound, ...],
        routing: tuple[int, ...],
        outputs: tuple[Output, ...],
    ) -> None:
        super().__init__()
        self.query_id = query_id
        self.bound = bound
        self.routing = routing
        self.outputs = outputs

    def content(self) -> tuple[Any, ...]:
        """Return id, markers and columns."""
        markers = [(*bound[:3], bound[3].name) for bound in self.bound]
        outputs = [(*output[:3], output[3].name) for output in self.outputs]
        return self.query_id, markers, self.routing, outputs


class Failure(Body):
    """An error."""

    __slots__ = ("code", "fields", "message")
    kind = "ERROR"

    def __init__(self, error: CqlError) -> None:
        super().__init__()
        self.code = error.code
        self.message = error.message
        self.fields = dict(error.fields)

    def content(self) -> tuple[Any, ...]:
        """Return code, message and fields."""
        return self.code, self.message, sorted(self.fields.items())


class Event(Body):
    """Something that clients registered for: SCHEMA_CHANGE or STATUS_CHANGE."""

    __slots__ = ("fields", "what")
    kind = "EVENT"

    def __init__(self, what: str, fields: tuple[tuple[str, str], ...]) -> None:
        super().__init__()
        self.what = what
        self.fields = fields

    def content(self) -> tuple[Any, ...]:
        """Return the event."""
        return self.what, self.fields


READY, SUPPORTED, VOID = Ready(), Supported(), Void()
