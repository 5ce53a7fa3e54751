"""Conversations with clients: start-up, statements, prepared statements, pushed events.

**Faithful**: the driver's other protocol versions are refused so that it steps down to 4; prepared
statements belong to a node and are gone after its restart (the driver prepares them again); their
ids are the same on all nodes; USE belongs to a connection; a statement without a timestamp gets
one of the coordinator's clock, each later than the one before.
**Simplified**: no authentication, no compression, no TLS, no tracing; OPTIONS announces no shards.
"""

import hashlib

from sim.scylla import system_tables
from sim.scylla.cql import parser
from sim.scylla.cql.batches import BatchPlan, Write, by_partition, check_kind
from sim.scylla.cql.binding import Parameters
from sim.scylla.cql.selects import SelectPlan
from sim.scylla.cql.statements import (
    Batch,
    CreateKeyspace,
    CreateTable,
    Delete,
    DropKeyspace,
    DropTable,
    Insert,
    Select,
    Statement,
    Truncate,
    Update,
    Use,
)
from sim.scylla.cql.writes import Mutation, WritePlan
from sim.scylla.ddl import Ddl, Wish
from sim.scylla.errors import CqlError, Invalid, ProtocolFault, Unprepared
from sim.scylla.parts import Parts
from sim.scylla.queries import Queries
from sim.scylla.schema import SYSTEM_KEYSPACES, Change
from sim.scylla.table import Keyspace, Table
from sim.scylla.truncation import Truncations
from sim.scylla.wire import (
    LOWEST_VERSION,
    READY,
    SUPPORTED,
    VERSION,
    VOID,
    Event,
    Failure,
    Prepared,
    Request,
    SetKeyspace,
)
from sim.scylla.writes import Writes

Plan = WritePlan | SelectPlan | BatchPlan
_Write = Insert | Update | Delete
_SCHEMA = (CreateKeyspace, CreateTable, DropKeyspace, DropTable)


class Client:
    """One client's connection."""

    __slots__ = ("events", "keyspace", "peer")

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.keyspace: str | None = None
        self.events: tuple[str, ...] = ()


class Clients:
    """All clients of a node."""

    def __init__(
        self,
        parts: Parts,
        writes: Writes,
        queries: Queries,
        ddl: Ddl,
        truncations: Truncations,
        system: system_tables.SystemTables,
    ) -> None:
        self.parts = parts
        self.writes = writes
        self.queries = queries
        self.ddl = ddl
        self.truncations = truncations
        self.system = system
        self.connections: dict[int, Client] = {}
        self.prepared: dict[bytes, tuple[Plan, str]] = {}
        self.versions: dict[str, bytes] = {}  # peer -> its schema's version
        self._last_timestamp = 0

    def forget_plans(self) -> None:
        """Forget prepared statements on tables that are gone."""
        schema = self.parts.schema
        for query_id, (plan, _) in list(self.prepared.items()):
            for table in plan.tables if isinstance(plan, BatchPlan) else (plan.table,):
                if table.keyspace in SYSTEM_KEYSPACES:
                    continue
                keyspace = schema.keyspaces.get(table.keyspace)
                if keyspace is None or keyspace.tables.get(table.name) is not table:
                    self.prepared.pop(query_id, None)

    def received(self, connection: int, request: Request) -> None:
        """Answer one request, now or later."""
        try:
            self._dispatch(connection, self.connections[connection], request)
        except CqlError as error:
            self.parts.reply(connection, request.stream, Failure(error))

    def push(self, event: Event) -> None:
        """Tell clients that registered for it."""
        for connection, client in list(self.connections.items()):
            if event.what in client.events:
                self.parts.reply(connection, -1, event)

    def changed(self, change: Change) -> None:
        """Tell clients of a schema change."""
        fields = [
            ("change_type", change.what),
            ("target_type", change.target),
            ("keyspace", change.keyspace),
        ]
        if change.table:
            fields.append(("table", change.table))
        self.push(Event("SCHEMA_CHANGE", tuple(fields)))

    def _dispatch(self, connection: int, client: Client, request: Request) -> None:
        if not LOWEST_VERSION <= request.version <= VERSION:
            raise ProtocolFault(
                f"Invalid or unsupported protocol version ({request.version}); the lowest "
                f"supported version is {LOWEST_VERSION} and the greatest is {VERSION}"
            )
        parts, kind, stream = self.parts, request.kind, request.stream
        if kind == "EXECUTE":
            known = self.prepared.get(request.query_id)
            if known is None:
                raise Unprepared(request.query_id)
            self._run(connection, request, *known)
        elif kind == "QUERY":
            self._query(connection, client, request)
        elif kind == "PREPARE":
            parts.reply(connection, stream, self._prepare(client, request.text))
        elif kind == "OPTIONS":
            parts.reply(connection, stream, SUPPORTED)
        elif kind == "STARTUP":
            parts.reply(connection, stream, READY)
        elif kind == "REGISTER":
            client.events = request.events
            parts.reply(connection, stream, READY)
        elif kind == "BATCH":
            self._batch(connection, client, request)
        else:
            raise ProtocolFault(f"not modelled: opcode {kind}")

    def _query(self, connection: int, client: Client, request: Request) -> None:
        statement = parser.parse(request.text)
        parts, stream = self.parts, request.stream
        if isinstance(statement, (Insert, Update, Delete, Select, Batch)):
            plan = self._plan(client, statement, request.text)
            self._run(connection, request, plan, request.text)
        elif isinstance(statement, Use):
            if statement.keyspace not in SYSTEM_KEYSPACES:
                parts.schema.keyspace(statement.keyspace)
            client.keyspace = statement.keyspace
            parts.reply(connection, stream, SetKeyspace(statement.keyspace))
        elif isinstance(statement, Truncate):
            table = parts.schema.table(statement.table, client.keyspace)
            self.truncations.begin(connection, stream, table)
        else:
            assert isinstance(statement, _SCHEMA)
            self.ddl.begin(connection, stream, Wish(request.text, client.keyspace))

    def _prepare(self, client: Client, text: str) -> Prepared:
        plan = self._plan(client, parser.parse(text), text)
        answer = plan.prepared.get(client.keyspace)
        if answer is None:
            hashed = hashlib.md5(f"{client.keyspace or ''}{text}".encode(), usedforsecurity=False)
            outputs = plan.outputs if isinstance(plan, SelectPlan) else ()
            answer = Prepared(hashed.digest(), plan.bound, plan.routing, outputs)
            plan.prepared[client.keyspace] = answer
        self.prepared[answer.query_id] = plan, text
        return answer

    def _plan(self, client: Client, statement: Statement, text: str) -> Plan:
        if isinstance(statement, Batch):
            parts = [self._write_plan(client, part, None) for part in statement.parts]
            return BatchPlan(statement, parts)
        if not isinstance(statement, (Insert, Update, Delete, Select)):
            raise Invalid("not modelled yet: prepared statements other than reads and writes")
        if not isinstance(statement, Select):
            return self._write_plan(client, statement, text)
        table = self._table(statement, client)
        plan: Plan | None = table.plans.get(text)
        return plan or table.keep(text, SelectPlan(table, statement))

    def _write_plan(self, client: Client, statement: _Write, text: str | None) -> WritePlan:
        """Compile a write; without a text that is all of it the plan is not kept."""
        if (statement.table.keyspace or client.keyspace) in SYSTEM_KEYSPACES:
            raise Invalid("system keyspace is not user-modifiable")
        table = self._table(statement, client)
        if text is None:
            return WritePlan(table, statement)
        plan: WritePlan | None = table.plans.get(text)
        return plan or table.keep(text, WritePlan(table, statement))

    def _table(self, statement: Select | Insert | Update | Delete, client: Client) -> Table:
        keyspace = statement.table.keyspace or client.keyspace
        if keyspace in SYSTEM_KEYSPACES:
            return self.system.find(keyspace or "", statement.table.table)
        return self.parts.schema.table(statement.table, client.keyspace)

    def _run(self, connection: int, request: Request, plan: Plan, text: str) -> None:
        parts = self.parts
        if request.names:
            request.parameters = _by_name(plan, request)
        if isinstance(plan, WritePlan):
            timestamp = plan.timestamp(request.parameters, self._timestamp(request))
            self.writes.check_timestamp(timestamp)
            keyspace = parts.schema.keyspace(plan.table.keyspace)
            found = plan.mutations(request.parameters, timestamp)
            self._begin(connection, request, [(mutation, keyspace) for mutation in found])
        elif isinstance(plan, BatchPlan):
            timestamp = plan.timestamp(request.parameters, self._timestamp(request))
            together = plan.writes(request.parameters)
            self._write(connection, request, together, timestamp, logged=plan.kind == "LOGGED")
        elif plan.table.keyspace in SYSTEM_KEYSPACES:
            nodes = [(parts.me, parts.schema.version.bytes)]
            nodes += [
                (peer, self.versions.get(name, parts.schema.version.bytes))
                for name, peer in parts.ring.peers.items()
                if name != parts.me.name
            ]
            rows = self.system.answer(text, plan, request.parameters, parts.schema, tuple(nodes))
            parts.reply(connection, request.stream, rows)
        else:
            keyspace = parts.schema.keyspace(plan.table.keyspace)
            self.queries.begin(connection, request, plan, keyspace)

    def _batch(self, connection: int, client: Client, request: Request) -> None:
        assert request.batch is not None
        kind, parts = request.batch
        writes = []
        for what, parameters in parts:
            if isinstance(what, str):
                plan = self._plan(client, parser.parse(what), what)
            else:
                known = self.prepared.get(what)
                if known is None:
                    raise Unprepared(what)
                plan = known[0]
            if not isinstance(plan, WritePlan):
                raise Invalid("Invalid statement in batch: only UPDATE, INSERT and DELETE")
            writes.append(Write(plan, parameters))
        if writes:
            check_kind(kind)
        timestamp = self._timestamp(request)
        self._write(connection, request, writes, timestamp, logged=kind == "LOGGED")

    def _write(
        self,
        connection: int,
        request: Request,
        writes: list[Write],
        timestamp: int,
        *,
        logged: bool,
    ) -> None:
        parts = self.parts
        mutations = []
        for write in writes:
            self.writes.check_timestamp(write.plan.timestamp(write.parameters, timestamp))
            mutations += write.mutations(timestamp)
        whole = [
            (mutation, parts.schema.keyspace(mutation.table.keyspace))
            for mutation in by_partition(mutations, logged=logged)
        ]
        self._begin(connection, request, whole)

    def _begin(
        self, connection: int, request: Request, writes: list[tuple[Mutation, Keyspace]]
    ) -> None:
        """Send writes to their replicas; where there is nothing to write, say so at once."""
        if writes:
            self.writes.begin(connection, request.stream, writes, request.level)
        else:
            self.parts.reply(connection, request.stream, VOID)

    def _timestamp(self, request: Request) -> int:
        if request.timestamp is not None:
            return request.timestamp
        now = self.parts.machinery.now_ns // 1000
        self._last_timestamp = max(now, self._last_timestamp + 1)
        return self._last_timestamp


def _by_name(plan: Plan, request: Request) -> Parameters:
    """Return named values in the order of the markers; a name without a value ends them."""
    given = dict(zip(request.names, request.parameters, strict=True))
    return tuple([given[bound.name] for bound in plan.bound if bound.name in given])
