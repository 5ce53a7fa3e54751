"""The two arms: nodes of ours and nodes of Apache Cassandra, processes with data of their own."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, Session
from cassandra.policies import FallthroughRetryPolicy, WhiteListRoundRobinPolicy
from cassandra.query import tuple_factory

from scenarios.backends.embedded.backend import Embedded
from scenarios.backends.jvm.backend import Jvm
from scenarios.backends.local import LocalBackend

OURS, REAL = "ours", "real"
KINDS: dict[str, type[LocalBackend]] = {OURS: Embedded, REAL: Jvm}
_TIMEOUT_S = 60


@contextmanager
def running(arm: str, folder: Path, nodes: int = 1) -> Generator[LocalBackend]:
    """Run the nodes of an arm, and no broker; `Infrastructure` if it cannot be."""
    backend = KINDS[arm](folder / arm, 0, nodes)
    backend.prepare()
    backend.start()
    try:
        yield backend
    finally:
        backend.down()


def version(backend: LocalBackend) -> str:
    """Return name and version of the database that answers."""
    name = next(name for name in backend.versions if "Kafka" not in name or "CQL" in name)
    return f"{name} {backend.versions[name]}"


@contextmanager
def connected(backend: LocalBackend, coordinator: int = 0) -> Generator[Session]:
    """Connect the unmodified driver to one node; what a node answers is never tried again."""
    host = backend.nodes[coordinator].address.host
    profile = ExecutionProfile(
        load_balancing_policy=WhiteListRoundRobinPolicy([host]),
        retry_policy=FallthroughRetryPolicy(),
        row_factory=tuple_factory,
        request_timeout=_TIMEOUT_S,
    )
    with Cluster(
        [host],
        port=backend.cql_port,
        protocol_version=4,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        connect_timeout=_TIMEOUT_S,
        control_connection_timeout=_TIMEOUT_S,
    ) as cluster:
        yield cluster.connect()
