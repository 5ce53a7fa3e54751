"""Real Apache Kafka and Apache Cassandra: started, killed, started again on their data."""

import shutil
from collections.abc import Generator
from pathlib import Path

import pytest

from scenarios.backends import cql_wire, kafka_wire
from scenarios.backends.base import Address
from scenarios.backends.jvm import jars
from scenarios.backends.jvm.backend import Jvm
from scenarios.errors import Infrastructure

missing = [tool for tool in ("java", "mvn") if shutil.which(tool) is None]
pytestmark = pytest.mark.skipif(
    bool(missing), reason=f"the jvm back end needs {' and '.join(missing)} on PATH"
)


@pytest.fixture(scope="module", autouse=True)
def _jars() -> None:
    """The first time they come over the network, which is nobody's fault if it is not there."""
    try:
        jars.fetch(lambda _: None)
    except Infrastructure as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def jvm(tmp_path_factory: pytest.TempPathFactory) -> Generator[Jvm]:
    with Jvm(tmp_path_factory.mktemp("jvm"), brokers=1, nodes=1) as backend:
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


@pytest.mark.real
def test_three_brokers_and_three_nodes_survive_the_death_of_one_each(tmp_path: Path) -> None:
    with Jvm(tmp_path, brokers=3, nodes=3) as backend:
        cluster = {broker.node_id for broker in kafka_wire.brokers(backend.brokers[1].address)}
        assert cluster == {1, 2, 3}
        replication = "{'class': 'NetworkTopologyStrategy', 'datacenter1': 3}"
        address = backend.nodes[1].address
        with cql_wire.Wire(address, timeout_s=20) as wire:
            wire.execute(f"CREATE KEYSPACE kept WITH replication = {replication}")
            wire.execute("CREATE TABLE kept.rows (k int PRIMARY KEY)")
        while not cql_wire.answers(address, "SELECT k FROM kept.rows WHERE k = 1", cql_wire.ALL):
            pass  # the schema spreads
        backend.server("kafka-1").kill()
        backend.server("scylla-1").kill()
        with cql_wire.Wire(address, timeout_s=20) as wire:
            wire.execute("INSERT INTO kept.rows (k) VALUES (1)", cql_wire.QUORUM)
        backend.server("kafka-1").start()
        backend.server("scylla-1").start()
        with cql_wire.Wire(backend.nodes[0].address, timeout_s=20) as wire:
            assert list(wire.execute("SELECT k FROM kept.rows", cql_wire.QUORUM)) == [(1,)]


@pytest.mark.real
def test_a_back_end_started_again_has_its_addresses_and_its_data(tmp_path: Path) -> None:
    replication = "{'class': 'NetworkTopologyStrategy', 'datacenter1': 1}"
    first = Jvm(tmp_path, brokers=1, nodes=1)
    with first, cql_wire.Wire(first.nodes[0].address, timeout_s=20) as wire:
        wire.execute(f"CREATE KEYSPACE kept WITH replication = {replication}")
    with Jvm(tmp_path, brokers=1, nodes=1) as again:
        assert again.bootstrap == first.bootstrap
        with cql_wire.Wire(again.nodes[0].address, timeout_s=20) as wire:
            wire.execute("CREATE TABLE kept.rows (k int PRIMARY KEY)")


@pytest.mark.real
def test_clients_are_sent_to_the_proxies_that_are_advertised(tmp_path: Path) -> None:
    backend = Jvm(tmp_path, brokers=1, nodes=1)
    broker, node = backend.servers
    proxies = {
        "kafka-1": Address("127.0.0.1", 29_092),
        "scylla-1": Address("127.0.1.1", node.address.port),
    }
    try:
        backend.up(proxies)
        (told,) = kafka_wire.brokers(broker.address)
        assert Address(told.host, told.port) == proxies["kafka-1"]
        with cql_wire.Wire(node.address, timeout_s=20) as wire:
            ((host,),) = wire.execute("SELECT rpc_address FROM system.local")
        assert host == proxies["scylla-1"].host
        assert backend.bootstrap == str(proxies["kafka-1"])
    finally:
        backend.down()
