"""Reading tables: range of tokens by range, page by page, read-only, at a bounded rate.

A page that fails is asked for again. A server that has no ``token()`` in WHERE (the embedded kind)
is read in one range.
"""

import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from cassandra import (
    ConsistencyLevel,
    InvalidRequest,
    Unauthorized,
    UnresolvableContactPoints,
)
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
from cassandra.policies import DCAwareRoundRobinPolicy, FallthroughRetryPolicy, TokenAwarePolicy
from cassandra.protocol import SyntaxException
from cassandra.query import tuple_factory

from reports.case import COLUMNS
from reports.evidence import OrderRow, OutputRow, SideRow, TradeRow
from reports.live.sources import Account, Answer, Cells
from reports.shown import Shown, columns
from scenarios.errors import Infrastructure, Unreadable, UsageError
from scenarios.reconciling.pace import Pace
from scenarios.reconciling.settings import Cql
from system import schema
from system.database import FAILURES

_TRIES = 6
_PAUSE_S = 0.2
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1

_ROWS = (
    f"SELECT {', '.join(COLUMNS)} FROM {{ks}}.balance_ledger",
    "user_id, asset_id",
)
_REQUESTS = (
    f"SELECT {', '.join(Answer._fields)} FROM {{ks}}.requests",
    "user_id, request_id",
)
_USERS_ASSETS = ("SELECT user_id, asset_id FROM {ks}.users_assets", "user_id")
# what a row is -> its table, and the key of that
_SHOWN: dict[type[Shown], tuple[str, str]] = {
    OutputRow: ("engine_output_log", "symbol_id, bucket"),
    TradeRow: ("trades_by_symbol", "symbol_id, bucket"),
    SideRow: ("trades_by_user", "user_id"),
    OrderRow: ("orders_by_user", "user_id"),
}


class Tables:
    """The database as a reader sees it."""

    def __init__(self, cql: Cql, pace: Pace, sleep_s: Callable[[float], None] = time.sleep) -> None:
        self.cql = cql
        self.pace = pace
        self.sleep_s = sleep_s
        self._cluster, self._session = _connect(cql)
        level = getattr(ConsistencyLevel, cql.consistency)
        self._level = level
        try:
            self._fits()
            self._one_account = self._prepare(f"{_ROWS[0]} WHERE user_id = ? AND asset_id = ?")
        except BaseException:
            self.close()  # nobody else could: its threads would go on trying to connect
            raise

    def ledger(self) -> Iterator[Cells]:
        """Yield all rows of the ledger, account by account."""
        return self._scan("balance_ledger", *_ROWS)

    def ledger_of(self, account: Account) -> Iterator[Cells]:
        """Yield one account's rows."""
        return self._pages("balance_ledger", self._one_account, account)

    def requests(self) -> Iterator[Answer]:
        """Yield all rows of `requests`."""
        for row in self._scan("requests", *_REQUESTS):
            yield Answer(*row)

    def users_assets(self) -> Iterator[Account]:
        """Yield all rows of `users_assets`."""
        return self._scan("users_assets", *_USERS_ASSETS)

    def shown(self) -> Iterator[Shown]:
        """Yield all rows of the log of outputs, of trades and of orders."""
        for record, (table, key) in _SHOWN.items():
            names = columns(record)
            select = f"SELECT {', '.join(names)} FROM {{ks}}.{table}"
            for row in self._scan(table, select, key):
                yield record(**dict(zip(names, row, strict=True)))

    def close(self) -> None:
        """Give the connections back."""
        self._cluster.shutdown()

    def _fits(self) -> None:
        """Refuse tables of another schema version; one that is missing is refused when read."""
        keyspace = self.cql.keyspace
        try:
            there = schema.found(self._session.execute, keyspace)
        except FAILURES as error:
            raise Infrastructure(f"the database did not tell its tables: {_say(error)}") from None
        if differing := schema.differing(there):
            raise UsageError(
                f"keyspace {keyspace} is of another schema version (tables {', '.join(differing)}"
                " differ): reconcile it with the wavetank of that version, or name another keyspace"
            )

    def _scan(self, table: str, select: str, key: str) -> Iterator[Any]:
        try:
            ranged = self._prepare(f"{select} WHERE token({key}) > ? AND token({key}) <= ?")
        except (InvalidRequest, SyntaxException):
            yield from self._pages(table, self._prepare(select), ())
            return
        for low, high in token_ranges(self.cql.ranges):
            yield from self._pages(table, ranged, (low, high))

    def _pages(self, table: str, statement: Any, values: Sequence[object]) -> Iterator[Any]:
        state: bytes | None = None
        while True:
            page = self._page(table, statement, values, state)
            rows = page.current_rows
            yield from rows
            self.pace.take(len(rows) + 1)
            state = page.paging_state
            if state is None:
                return

    def _page(
        self, table: str, statement: Any, values: Sequence[object], state: bytes | None
    ) -> Any:
        for attempt in range(_TRIES):
            try:
                return self._session.execute(statement, values, paging_state=state)
            except Unauthorized as error:
                raise _refused(table, error) from None
            except FAILURES as error:
                if attempt == _TRIES - 1:
                    raise Unreadable(
                        f"{table} could not be read at {self.cql.consistency}, asked {_TRIES}"
                        f" times: {_say(error)}"
                    ) from None
            self.sleep_s(_PAUSE_S * 2**attempt)
        raise AssertionError("a page is returned or refused")

    def _prepare(self, select: str) -> Any:
        text = select.replace("{ks}", self.cql.keyspace)
        try:
            statement = self._session.prepare(text)
        except Unauthorized as error:
            raise _refused(self.cql.keyspace, error) from None
        except (InvalidRequest, SyntaxException) as error:
            if "token(" in text:
                raise
            raise UsageError(
                f"the database at {', '.join(self.cql.contact_points)} has no such table:"
                f" {_say(error)}; is keyspace {self.cql.keyspace!r} right?"
            ) from None
        except FAILURES as error:
            raise Infrastructure(f"the database did not prepare `{text}`: {_say(error)}") from None
        statement.consistency_level = self._level
        statement.fetch_size = self.cql.page
        statement.is_idempotent = True
        return statement


def token_ranges(count: int) -> list[tuple[int, int]]:
    """Split the ring of Murmur3 tokens; each range is without its lower end.

    >>> token_ranges(1)
    [(-9223372036854775808, 9223372036854775807)]
    """
    span = _HIGHEST - _LOWEST
    ends = [_LOWEST + span * number // count for number in range(count + 1)]
    return list(pairwise(ends))


def _connect(cql: Cql) -> tuple[Any, Any]:
    profile = ExecutionProfile(
        load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy(local_dc=cql.datacenter)),
        retry_policy=FallthroughRetryPolicy(),
        consistency_level=getattr(ConsistencyLevel, cql.consistency),
        request_timeout=cql.timeout_ms / 1000,
        row_factory=tuple_factory,
    )
    where = ", ".join(f"{host}:{cql.port}" for host in cql.contact_points)
    auth = PlainTextAuthProvider(cql.username, cql.password) if cql.username else None
    cluster: Any = None
    try:
        cluster = Cluster(
            contact_points=list(cql.contact_points),
            port=cql.port,
            protocol_version=4,
            auth_provider=auth,
            ssl_context=_tls(cql),
            execution_profiles={EXEC_PROFILE_DEFAULT: profile},
            schema_metadata_enabled=False,
            connect_timeout=cql.timeout_ms / 1000,
            control_connection_timeout=cql.timeout_ms / 1000,
            monitor_reporting_enabled=False,
        )
        return cluster, cluster.connect()
    except FAILURES as error:
        if cluster is not None:
            cluster.shutdown()
        raise Infrastructure(f"no database node answers at {where}: {_say(error)}") from None


def _tls(cql: Cql) -> ssl.SSLContext | None:
    if not (cql.ssl_ca or cql.ssl_certificate):
        return None
    try:
        context = ssl.create_default_context(cafile=cql.ssl_ca or None)
        context.check_hostname = False  # nodes are reached by the addresses they gossip
        if cql.ssl_certificate:
            context.load_cert_chain(cql.ssl_certificate, cql.ssl_key or None)
    except OSError as error:
        names = ", ".join(filter(None, (cql.ssl_ca, cql.ssl_certificate, cql.ssl_key)))
        raise UsageError(f"[cql] ssl files {names}: {error}; name readable PEM files") from None
    return context


def _refused(what: str, error: Exception) -> Infrastructure:
    return Infrastructure(f"the database does not let us read {what}: {_say(error)}; GRANT SELECT")


def _say(error: Exception) -> str:
    if isinstance(error, UnresolvableContactPoints):
        return "no address is known by these names"
    if isinstance(error, NoHostAvailable):
        if not isinstance(error.errors, Mapping):  # the names of nodes that were not asked
            return f"{', '.join(map(str, error.errors))}: not in the datacenter that is named"
        reasons = [f"{host}: {why}" for host, why in error.errors.items()]
        return "; ".join(reasons) or str(error)
    return str(error)
