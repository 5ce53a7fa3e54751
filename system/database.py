"""The door to the ledger's tables: one session, explicit consistency, no hidden repeats.

This is the only module that touches the driver, which is untyped. Statements go out at the
consistency the caller names; a failed one is reported as it is, because only the caller knows
whether repeating it is safe.
"""

import ssl
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Protocol

import msgspec
from cassandra import (
    AlreadyExists,
    ConsistencyLevel,
    DriverException,
    InvalidRequest,
    Unauthorized,
    UnresolvableContactPoints,
)
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
from cassandra.connection import ConnectionException
from cassandra.policies import (
    DCAwareRoundRobinPolicy,
    FallthroughRetryPolicy,
    RetryPolicy,
)
from cassandra.pool import NoConnectionsAvailable
from cassandra.protocol import ConfigurationException, ErrorMessage, SyntaxException
from cassandra.query import UNSET_VALUE, tuple_factory

from system.config import NonEmpty, Positive, Section
from system.errors import ConfigError, Unreachable

QUORUM: int = ConsistencyLevel.QUORUM
ALL: int = ConsistencyLevel.ALL
UNSET: object = UNSET_VALUE  # leaves a column untouched; null would write a tombstone

# The server understood the statement and will never carry it out; repeating it is pointless.
_REFUSALS: tuple[type[Exception], ...] = (
    InvalidRequest,
    SyntaxException,
    ConfigurationException,
    Unauthorized,
    AlreadyExists,
)

# Everything a statement can end with instead of an answer; the driver's errors share no base.
FAILURES: tuple[type[Exception], ...] = (
    DriverException,
    NoHostAvailable,
    ConnectionException,
    NoConnectionsAvailable,
    ErrorMessage,
    OSError,
)

Row = tuple[Any, ...]


class Scylla(Section, frozen=True):
    """How to reach the database."""

    contact_points: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 9042
    keyspace: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]*$")] = "wavetank"
    datacenter: NonEmpty = "datacenter1"
    username: str = ""
    password: str = ""
    ssl_ca: str = ""  # PEM files; with neither a CA nor a certificate connections are plain
    ssl_certificate: str = ""
    ssl_key: str = ""
    connect_timeout_ms: Positive = 5_000
    request_timeout_ms: Positive = 2_000


class Pending(Protocol):
    """A statement on its way (the driver's ``ResponseFuture``)."""

    def result(self) -> Any:
        """Wait for the answer; raise what went wrong."""

    def add_callbacks(
        self, callback: Callable[[list[Row]], object], errback: Callable[[Exception], object]
    ) -> None:
        """Have one of the two called from the driver's thread."""


class Database:
    """A session whose prepared statements carry their consistency level."""

    def __init__(self, cluster: Any, session: Any, keyspace: str) -> None:
        self._cluster = cluster
        self._session = session
        self.keyspace = keyspace

    def prepare(self, cql: str, consistency: int) -> Any:
        """Prepare a statement; ``{ks}`` in it stands for the keyspace."""
        text = cql.replace("{ks}", self.keyspace)
        try:
            statement = self._session.prepare(text)
        except _REFUSALS as error:
            raise Unreachable(
                f"the database refuses `{text}`: {error}; create the tables with "
                "`python -m system setup`"
            ) from error
        except FAILURES as error:
            raise Unreachable(f"the database did not prepare `{text}`: {error}") from error
        statement.consistency_level = consistency
        return statement

    def send(self, statement: Any, values: Sequence[object]) -> Pending:
        """Start a prepared statement."""
        future: Pending = self._session.execute_async(statement, values)
        return future

    def execute(self, cql: str) -> None:
        """Carry out one plain statement and wait for it."""
        self._session.execute(cql)

    def query(self, cql: str) -> list[Row]:
        """Carry out one plain statement and return its rows."""
        return [tuple(row) for row in self._session.execute(cql)]

    def close(self) -> None:
        """Close all connections; what is on its way stays unknown."""
        self._cluster.shutdown()


def connect(scylla: Scylla, *, retry: RetryPolicy | None = None) -> Database:
    """Connect, or say within a bounded time which addresses do not answer.

    Not token-aware: with as many nodes as replicas every node holds every row, and the schema
    need not be read at each start.
    """
    profile = ExecutionProfile(
        load_balancing_policy=DCAwareRoundRobinPolicy(local_dc=scylla.datacenter),
        retry_policy=retry or FallthroughRetryPolicy(),
        consistency_level=QUORUM,
        request_timeout=scylla.request_timeout_ms / 1000,
        row_factory=tuple_factory,
    )
    addresses = ", ".join(f"{host}:{scylla.port}" for host in scylla.contact_points)
    try:
        cluster = Cluster(
            contact_points=list(scylla.contact_points),
            port=scylla.port,
            auth_provider=_credentials(scylla),
            ssl_context=_tls(scylla),
            protocol_version=4,
            compression=False,
            execution_profiles={EXEC_PROFILE_DEFAULT: profile},
            schema_metadata_enabled=False,
            connect_timeout=scylla.connect_timeout_ms / 1000,
            control_connection_timeout=scylla.connect_timeout_ms / 1000,
            monitor_reporting_enabled=False,
        )
    except UnresolvableContactPoints as error:
        raise Unreachable(f"no host name of the database resolves: {addresses}") from error
    try:
        session = cluster.connect()
    except FAILURES as error:
        cluster.shutdown()
        raise Unreachable(f"no database node answers at {addresses}: {_why(error)}") from error
    return Database(cluster, session, scylla.keyspace)


def _credentials(scylla: Scylla) -> PlainTextAuthProvider | None:
    return PlainTextAuthProvider(scylla.username, scylla.password) if scylla.username else None


def _tls(scylla: Scylla) -> ssl.SSLContext | None:
    if not (scylla.ssl_ca or scylla.ssl_certificate):
        return None
    try:
        context = ssl.create_default_context(cafile=scylla.ssl_ca or None)
        context.check_hostname = False  # nodes are reached by the addresses they tell each other
        if scylla.ssl_certificate:
            context.load_cert_chain(scylla.ssl_certificate, scylla.ssl_key or None)
    except OSError as error:
        files = (scylla.ssl_ca, scylla.ssl_certificate, scylla.ssl_key)
        names = ", ".join(path for path in files if path)
        raise ConfigError(f"[scylla] ssl_*: {names}: {error}; name readable PEM files") from None
    return context


def refused(error: Exception) -> bool:
    """Whether the server said no for good; any other failure leaves the outcome unknown."""
    return isinstance(error, _REFUSALS)


def _why(error: Exception) -> str:
    if isinstance(error, NoHostAvailable):
        return "; ".join(f"{host}: {why}" for host, why in error.errors.items())
    return str(error)
