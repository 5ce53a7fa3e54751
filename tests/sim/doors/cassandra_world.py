"""A world with three CQL nodes and one program host; run as a script it prints a digest."""

import sys
from collections.abc import Callable
from typing import Any

from sim.doors import install

install.install()

from cassandra import ConsistencyLevel  # noqa: E402
from cassandra.cluster import EXEC_PROFILE_DEFAULT, ExecutionProfile  # noqa: E402
from cassandra.cluster import Cluster as DriverCluster  # noqa: E402
from cassandra.concurrent import execute_concurrent_with_args  # noqa: E402
from cassandra.policies import (  # noqa: E402
    DCAwareRoundRobinPolicy,
    FallthroughRetryPolicy,
    RetryPolicy,
)
from cassandra.query import tuple_factory  # noqa: E402

from sim.disk import Disk  # noqa: E402
from sim.process import Process  # noqa: E402
from sim.scylla.cluster import Cluster  # noqa: E402
from sim.scylla.ring import PORT  # noqa: E402
from sim.world import World  # noqa: E402

SCHEMA = """
CREATE KEYSPACE k WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 3};
CREATE TABLE k.ledger (user bigint, asset int, seq bigint, avail bigint, note text,
    PRIMARY KEY ((user, asset), seq)) WITH CLUSTERING ORDER BY (seq DESC);
"""
INSERT = "INSERT INTO k.ledger (user, asset, seq, avail, note) VALUES (?, ?, ?, ?, ?)"
SELECT = "SELECT seq, avail, note FROM k.ledger WHERE user = ? AND asset = ?"


class Stage:
    """One world and what a program in it returned."""

    def __init__(self, seed: int = 1) -> None:
        self.world = World(seed)
        self.world.kernel.births.append(install.attend)
        names = {f"scylla-{number}": f"10.0.3.{number}" for number in (1, 2, 3)}
        self.nodes = Cluster(names)
        self.nodes.execute_schema(SCHEMA)
        self.nodes.observe(lambda: self.world.kernel.now)
        for name, address in names.items():
            self.world.add_host(name, address=address)
            server = self.world.add_server(name, self.nodes.nodes[name], PORT, "cql")
            server.peers = self.nodes.peers()
            server.start()
        disk = Disk("ideal", self.world.kernel.stream("disk"))
        self.world.add_host("app-1", disk=disk)
        self.result: Any = None

    def launch(self, main: Callable[["Stage"], Any]) -> Process:
        """Start a program that is ``main(stage)``."""

        def run() -> int:
            self.result = main(self)
            return 0

        return self.world.hosts["app-1"].launch("app", run)

    def run(self, main: Callable[["Stage"], Any]) -> Any:
        """Run a program to its end and return what it returned."""
        process = self.launch(main)
        self.world.kernel.run(lambda: not process.alive)
        self.world.close()
        assert process.exit_code == 0, "".join(process.stderr)
        return self.result


def connect(level: int = ConsistencyLevel.QUORUM, **options: Any) -> Any:
    """Return the real driver's cluster and session."""
    profile = ExecutionProfile(
        consistency_level=level,
        load_balancing_policy=DCAwareRoundRobinPolicy(local_dc="datacenter1"),
        retry_policy=options.pop("retry_policy", FallthroughRetryPolicy()),
        row_factory=tuple_factory,
        request_timeout=options.pop("request_timeout", 10.0),
    )
    cluster = DriverCluster(
        options.pop("contact_points", ["scylla-1", "scylla-2", "scylla-3"]),
        protocol_version=4,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        **options,
    )
    return cluster, cluster.connect()


def busy(stage: Stage) -> int:
    """Use much of the driver, with a crash in the middle."""
    cluster, session = connect(retry_policy=RetryPolicy())
    insert, select = session.prepare(INSERT), session.prepare(SELECT)
    values = [(number % 5, 1, number, number, None) for number in range(60)]
    execute_concurrent_with_args(session, insert, values, concurrency=10)
    stage.world.server("scylla-2").crash()
    found = sum(len(session.execute(select, (user, 1)).all()) for user in range(5))
    cluster.shutdown()
    return found


if __name__ == "__main__":
    played = Stage(int(sys.argv[1]))
    rows = played.run(busy)
    sys.__stdout__.write(f"{rows} {played.world.kernel.trace.digest()}")  # type: ignore[union-attr]
