"""Real Apache Kafka and Apache Cassandra: started, killed, started again on their data."""

import shutil
from collections.abc import Generator

import pytest

from scenarios.backends import cql_wire, kafka_wire
from scenarios.backends.jvm.backend import Jvm

missing = [tool for tool in ("java", "mvn") if shutil.which(tool) is None]
pytestmark = pytest.mark.skipif(
    bool(missing), reason=f"the jvm back end needs {' and '.join(missing)} on PATH"
)


@pytest.fixture(scope="module")
def jvm(tmp_path_factory: pytest.TempPathFactory) -> Generator[Jvm]:
    with Jvm(tmp_path_factory.mktemp("jvm")) as backend:
        yield backend


def test_a_client_finds_the_broker_and_the_node_where_they_say(jvm: Jvm) -> None:
    (broker,) = kafka_wire.brokers(jvm.brokers[0].address)
    assert f"{broker.host}:{broker.port}" == jvm.bootstrap
    with cql_wire.Wire(jvm.nodes[0].address, timeout_s=10) as wire:
        ((version,),) = wire.execute("SELECT release_version FROM system.local")
    assert version == jvm.versions["Apache Cassandra"]


def test_a_killed_node_comes_back_with_all_that_it_acknowledged(jvm: Jvm) -> None:
    (node,) = jvm.nodes
    replication = "{'class': 'NetworkTopologyStrategy', 'datacenter1': 1}"
    with cql_wire.Wire(node.address, timeout_s=20) as wire:
        wire.execute(f"CREATE KEYSPACE kept WITH replication = {replication}")
        wire.execute("CREATE TABLE kept.rows (k int PRIMARY KEY)")
        for k in range(50):
            wire.execute(f"INSERT INTO kept.rows (k) VALUES ({k})")
        node.kill()
    node.start()
    with cql_wire.Wire(node.address, timeout_s=20) as wire:
        assert sorted(wire.execute("SELECT k FROM kept.rows")) == [(k,) for k in range(50)]
