"""Batches: several writes with one timestamp, one mutation for each partition that they touch.

**Faithful** (batch_statement.cc): what a batch does to one partition of a table is one mutation,
which a replica takes whole or not at all; an unlogged batch of several partitions is nothing but
several writes that are sent together: any of them may fail, or be cut off by a crash of the
coordinator, while others stay. A logged batch of one partition is treated as an unlogged one.

A batch of several partitions may hold 1 MiB (batch_size_fail_threshold_in_kb; Cassandra: 50 KiB).

**Simplified**: no batch log: a logged batch of several partitions is refused; what counts as its
size is the bytes of its keys and values.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sim.scylla.cql.binding import BIGINT, Bound, Markers, Parameters, check_count
from sim.scylla.cql.statements import Batch
from sim.scylla.cql.writes import Mutation, WritePlan
from sim.scylla.errors import Invalid
from sim.scylla.storage import merged
from sim.scylla.table import Table

_MAX_BYTES = 1024 * 1024


class Write(NamedTuple):
    """One statement of a batch, with its values."""

    plan: WritePlan
    parameters: Parameters

    def mutations(self, otherwise: int) -> list[Mutation]:
        """Return what it does at its own timestamp, or at `otherwise`."""
        timestamp = self.plan.timestamp(self.parameters, otherwise)
        return self.plan.mutations(self.parameters, timestamp)


class BatchPlan:
    """A compiled ``BEGIN BATCH``."""

    __slots__ = ("_own", "_plans", "_timestamp", "bound", "kind", "prepared", "routing", "tables")

    def __init__(self, statement: Batch, plans: list[WritePlan]) -> None:
        if statement.timestamp is not None and any(part.timestamp for part in statement.parts):
            raise Invalid("Timestamp must be set either on BATCH or individual statements")
        check_kind(statement.kind)
        self.kind = statement.kind
        self._plans = plans
        self._own = statement.markers - sum(part.markers for part in statement.parts)
        self.tables: tuple[Table, ...] = tuple(dict.fromkeys(plan.table for plan in plans))
        self._timestamp = None
        own: tuple[Bound, ...] = ()
        if statement.timestamp is not None and plans:
            markers = Markers(plans[0].table, self._own)
            self._timestamp = markers.typed(statement.timestamp, "[timestamp]", BIGINT)
            own = tuple([Bound("[batch]", "[batch]", *bound[2:]) for bound in markers.told()])
        self.bound = own + tuple(bound for plan in plans for bound in plan.bound)
        self.routing: tuple[int, ...] = ()
        self.prepared: dict[str | None, Any] = {}  # keyspace in use -> the answer to PREPARE

    def timestamp(self, parameters: Parameters, otherwise: int) -> int:
        """Return the batch's timestamp: USING TIMESTAMP's, or the request's. Ask this first."""
        check_count(parameters, len(self.bound))
        if self._timestamp is None:
            return otherwise
        value = self._timestamp.value(parameters)
        if value is None:
            raise Invalid("Invalid null value of timestamp")
        return otherwise if isinstance(value, int) else int.from_bytes(value, "big", signed=True)

    def writes(self, parameters: Parameters) -> list[Write]:
        """Return the statements with their values."""
        found, at = [], self._own
        for plan in self._plans:
            found.append(Write(plan, parameters[at : at + len(plan.bound)]))
            at += len(plan.bound)
        return found


def check_kind(kind: str) -> None:
    """Refuse a counter batch: there are no counters that could be in it."""
    if kind == "COUNTER":
        raise Invalid("Cannot include non-counter statement in a counter batch")


def by_partition(mutations: Iterable[Mutation], *, logged: bool) -> list[Mutation]:
    """Return one mutation for each partition, in the order in which they were touched first."""
    together: dict[tuple[bytes, bytes], list[Mutation]] = {}
    for mutation in mutations:
        together.setdefault((mutation.table.id, mutation.key), []).append(mutation)
    if logged and len(together) > 1:
        raise Invalid("not modelled yet: logged batches of several partitions; use UNLOGGED")
    found = [_merged(same) for same in together.values()]
    if len(found) > 1 and sum(len(mutation.packed()) for mutation in found) > _MAX_BYTES:
        raise Invalid("Batch too large")
    return found


def _merged(same: list[Mutation]) -> Mutation:
    first = same[0]
    if len(same) == 1:
        return first
    whole = merged(first.table, first.key, [mutation.update for mutation in same])
    return Mutation(first.table, first.key, first.token, whole.everything())
