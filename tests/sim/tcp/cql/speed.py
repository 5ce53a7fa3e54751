"""Measures single prepared inserts of ledger rows through the real driver, each acknowledged.

``python -m tests.sim.tcp.cql.speed --nodes 3``
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from cassandra import ConsistencyLevel
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.policies import DCAwareRoundRobinPolicy, TokenAwarePolicy

from sim.scylla.cql.parser import split
from tests.sim.tcp.cql.cluster import Nodes

_SCHEMA = Path("system/schema.cql")
_INSERT = (
    "INSERT INTO wavetank.balance_ledger (user_id, asset_id, seq, delta_avail, delta_frozen, "
    "avail, frozen, event_type, ref_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def rates(session: Any, nodes: int, rows: int, rounds: int) -> list[float]:
    """Return rows/s of each round: 100 at a time, at QUORUM, a replica on every node."""
    script = _SCHEMA.read_text().replace(
        "'replication_factor': 3", f"'replication_factor': {nodes}"
    )
    for statement in split(script):
        session.execute(statement)
    insert = session.prepare(_INSERT)
    insert.consistency_level = ConsistencyLevel.QUORUM
    found = []
    for number in range(rounds):
        first = number * rows
        values = [
            (n % 50, n % 3, n, 1, 0, n, 0, "deposit", f"{n}", n) for n in range(first, first + rows)
        ]
        began = time.perf_counter()
        execute_concurrent_with_args(session, insert, values, concurrency=100)
        found.append(rows / (time.perf_counter() - began))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sync", choices=("batch", "periodic"), default="batch")
    args = parser.parse_args()
    profile = ExecutionProfile(TokenAwarePolicy(DCAwareRoundRobinPolicy()), request_timeout=30)
    with (
        tempfile.TemporaryDirectory() as path,
        Nodes(Path(path), args.nodes, sync=args.sync) as nodes,
    ):
        nodes.start()
        cluster = Cluster(
            [nodes.address],
            port=nodes.ports["db-1"],
            protocol_version=4,
            execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        )
        found = rates(cluster.connect(), args.nodes, args.rows, args.rounds)
        cluster.shutdown()
    shown = ", ".join(f"{rate:.0f}" for rate in found)
    print(
        f"{args.nodes} node(s), {args.sync}: median {statistics.median(found):.0f} rows/s ({shown})"
    )


if __name__ == "__main__":
    main()
