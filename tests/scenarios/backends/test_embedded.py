"""Our own brokers and nodes as processes: what they keep, and what their help says of them."""

from collections.abc import Generator
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from scenarios.backends import cql_wire, kafka_wire
from scenarios.backends.base import Address
from scenarios.backends.cql_wire import CqlError
from scenarios.backends.embedded.backend import Embedded
from sim.kafka.entities import ErrorCode, FindCoordinatorRequest

KEYSPACE = (
    "CREATE KEYSPACE kept WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 1}"
)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Generator[Embedded]:
    with Embedded(tmp_path_factory.mktemp("embedded"), 1, 1) as backend:
        with cql_wire.Wire(backend.nodes[0].address, timeout_s=20) as wire:
            wire.execute(KEYSPACE)
            wire.execute("CREATE TABLE kept.rows (k int PRIMARY KEY)")
        create(backend, NewTopic("kept", num_partitions=1, replication_factor=1))
        yield backend


def settings(backend: Embedded, **more: Any) -> dict[str, Any]:
    return {"bootstrap.servers": backend.bootstrap, "log_level": 0} | {
        key.replace("_", "."): value for key, value in more.items()
    }


def create(backend: Embedded, topic: NewTopic) -> None:
    admin = AdminClient(settings(backend))
    admin.create_topics([topic])[topic.topic].result(20)


def test_a_killed_broker_comes_back_with_all_that_it_acknowledged(embedded: Embedded) -> None:
    producer = Producer(settings(embedded, acks="all"))
    for i in range(50):
        producer.produce("kept", b"%d" % i)
    assert producer.flush(20) == 0
    (broker,) = embedded.brokers
    broker.kill()
    broker.start()
    consumer = Consumer(settings(embedded, group_id="none", auto_offset_reset="earliest"))
    consumer.assign([TopicPartition("kept", 0, 0)])
    read = consumer.consume(50, timeout=20)
    consumer.close()
    assert [message.value() for message in read] == [b"%d" % i for i in range(50)]


def test_a_killed_node_comes_back_with_all_that_it_acknowledged(embedded: Embedded) -> None:
    (node,) = embedded.nodes
    with cql_wire.Wire(node.address, timeout_s=20) as wire:
        for k in range(50):
            wire.execute(f"INSERT INTO kept.rows (k) VALUES ({k})")
        node.kill()
    node.start()
    with cql_wire.Wire(node.address, timeout_s=20) as wire:
        assert sorted(wire.execute("SELECT k FROM kept.rows")) == [(k,) for k in range(50)]


def test_it_refuses_more_replicas_than_one(embedded: Embedded) -> None:
    with pytest.raises(KafkaException) as refusal:
        create(embedded, NewTopic("three", num_partitions=1, replication_factor=3))
    assert refusal.value.args[0].code() == KafkaError.INVALID_REPLICATION_FACTOR


def test_it_refuses_transactions(embedded: Embedded) -> None:
    with kafka_wire.Wire(embedded.brokers[0].address, timeout_s=20) as wire:
        question = FindCoordinatorRequest(key="t", key_type=kafka_wire.TRANSACTION)
        assert wire.ask(question).error_code is ErrorCode.transactional_id_authorization_failed


def test_it_refuses_compaction(embedded: Embedded) -> None:
    config = {"cleanup.policy": "compact"}
    with pytest.raises(KafkaException):
        create(embedded, NewTopic("c", num_partitions=1, replication_factor=1, config=config))


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO kept.rows (k) VALUES (1) IF NOT EXISTS",
        "BEGIN BATCH DELETE FROM kept.rows WHERE k = 1 DELETE FROM kept.rows WHERE k=2 APPLY BATCH",
        "ALTER TABLE kept.rows ADD v int",
        "CREATE TYPE kept.pair (a int)",
        "CREATE INDEX ON kept.rows (k)",
        "CREATE MATERIALIZED VIEW kept.v AS SELECT k FROM kept.rows PRIMARY KEY (k)",
        "CREATE ROLE somebody",
        "INSERT INTO kept.rows (k) VALUES (1) USING TTL 10",
        "CREATE TABLE kept.s (k int, c int, s int STATIC, PRIMARY KEY (k, c))",
        "INSERT INTO kept.rows JSON '{}'",
        "SELECT k FROM kept.rows WHERE k > 1 ALLOW FILTERING",
    ],
)
def test_it_refuses_the_cql_that_it_does_not_model(embedded: Embedded, statement: str) -> None:
    with cql_wire.Wire(embedded.nodes[0].address, timeout_s=20) as wire:
        with pytest.raises(CqlError):
            wire.execute(statement)
        wire.execute("SELECT k FROM kept.rows LIMIT 1")


def test_three_of_each_replicate_rows_and_send_clients_to_proxies(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    backend = Embedded(tmp_path_factory.mktemp("three"), 3, 3)
    proxy = Address("127.0.0.1", 29_092)
    backend.up({"kafka-2": proxy, "scylla-3": Address("127.0.1.3", backend.cql_port)})
    try:
        found = AdminClient({"bootstrap.servers": str(backend.brokers[0].address)}).list_topics()
        assert f"{found.brokers[2].host}:{found.brokers[2].port}" == str(proxy)
        with cql_wire.Wire(backend.nodes[0].address, timeout_s=20) as wire:
            peers = {host for (host,) in wire.execute("SELECT rpc_address FROM system.peers")}
            assert peers == {"127.0.0.2", "127.0.1.3"}
            wire.execute(KEYSPACE.replace("1}", "3}"))
            wire.execute("CREATE TABLE kept.rows (k int PRIMARY KEY)")
            backend.server("scylla-3").kill()
            wire.execute("INSERT INTO kept.rows (k) VALUES (1)", cql_wire.QUORUM)
    finally:
        backend.down()
