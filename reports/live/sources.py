"""What a running deployment is read through: ordered streams, and a cut to read them up to.

The cut is taken downstream first: Settlement's committed offsets, then the ends of the events
topic, of the logs, of the operations topic. What lies below the earlier bound must lie upstream
below the later one; what lies above it is on its way.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import msgspec

from reports.shown import Shown
from system.chain import Link
from system.wal.packing import Frame

# The columns of a ledger row in the order of `reports.case.COLUMNS`.
Cells = tuple[int, int, int, int, int, int, int, str, str, int]
Account = tuple[int, int]  # user, asset


class Entry(NamedTuple):
    """A record as it lies in a partition."""

    offset: int
    timestamp_ms: int
    value: bytes | None


class Answer(NamedTuple):
    """A row of `requests`."""

    user_id: int
    request_id: str
    body_hash: str
    decision: str | None
    reason: str | None
    effects: str | None
    outcome: str | None
    expired: bool | None


class Span(NamedTuple):
    """The offsets of a partition that count: from the first retained one up to the cut."""

    low: int
    high: int


class Settled(NamedTuple):
    """What Settlement committed; `expected` is the next n per shard, None if it is unreadable."""

    offset: int
    expected: dict[int, int] | None


class SettledOutputs(NamedTuple):
    """What Settlement committed of the engine's outputs; `links` None: it cannot be read."""

    offset: int
    links: dict[int, Link] | None


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """One consistent look: everything before it is judged, everything after it is on its way.

    `logs` names per shard whose log is at hand the partitions it decides. `at_ms` is the wall
    clock's milliseconds, to which all ages are relative. Orders go in a circle, from the log to the
    engine and back, so that its outputs are cut twice: below `answers` each must have its order
    in `orders`, below `outputs` each must be in the log, or on its way there.
    """

    at_ms: int
    operations: dict[int, Span]
    events: dict[int, Span]
    settled: dict[int, Settled]
    logs: dict[int, tuple[int, ...]]
    orders: dict[int, Span] = {}
    outputs: dict[int, Span] = {}
    answers: dict[int, int] = {}
    settled_outputs: dict[int, SettledOutputs] = {}

    def settled_offset(self, partition: int) -> int:
        """Return the offset below which every row must be in the ledger."""
        found = self.settled.get(partition)
        span = self.events[partition]
        return span.low if found is None else min(max(found.offset, span.low), span.high)

    def settled_outputs_offset(self, partition: int) -> int:
        """Return the offset below which every output must be in the tables."""
        found = self.settled_outputs.get(partition)
        span = self.outputs[partition]
        return span.low if found is None else min(max(found.offset, span.low), span.high)


class Sources(Protocol):
    """The streams. Each may be read more than once, and yields the same up to the cut.

    One that cannot be read to its end raises: a part of it would look like missing rows.
    """

    def cut(self) -> Cut:
        """Take the cut; called once, before anything is read."""

    def ends(self) -> dict[int, int]:
        """Return where the partitions of the events topic end now."""

    def operations(self, partition: int, low: int, high: int) -> Iterator[Entry]:
        """Yield a partition's records of the operations topic, by offset."""

    def events(self, partition: int, low: int, high: int) -> Iterator[Entry]:
        """Yield a partition's records of the events topic, by offset."""

    def orders(self, partition: int, low: int, high: int) -> Iterator[Entry]:
        """Yield a partition's records of the orders topic, by offset."""

    def outputs(self, partition: int, low: int, high: int) -> Iterator[Entry]:
        """Yield a partition's records of the engine's outputs, by offset."""

    def output_ends(self) -> dict[int, int]:
        """Return where the partitions of the engine's outputs end now."""

    def frames(self, shard: int) -> Iterator[Frame]:
        """Yield a shard's frames as of the cut, by LSN."""

    def ledger(self) -> Iterator[Cells]:
        """Yield all rows of the ledger: account by account, the highest seq first."""

    def ledger_of(self, account: Account) -> Iterator[Cells]:
        """Yield one account's rows, the highest seq first."""

    def requests(self) -> Iterator[Answer]:
        """Yield all rows of `requests`, in any order."""

    def shown(self) -> Iterator[Shown]:
        """Yield all rows of the log of outputs, of trades and of orders, in any order."""

    def users_assets(self) -> Iterator[Account]:
        """Yield all rows of `users_assets`, in any order."""


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What a reconciliation may take, and how long a thing may be on its way."""

    max_age_ms: int = 60_000
    breaks_max: int = 1_000  # of each step; the rest is summed up
    accounts_max: int = 1_000_000  # kept in memory; more go to a temporary file
    answers: bool = True  # whether `requests` and `users_assets` are read, too
