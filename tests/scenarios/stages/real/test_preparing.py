"""Servers of others before a run: what is there must fit, and nothing goes that was not named."""

from collections.abc import Generator
from typing import Any

import pytest
from cassandra.cluster import Cluster
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from scenarios.backends import remote
from scenarios.backends.embedded.backend import Embedded
from scenarios.backends.remote import Remote
from scenarios.errors import Infrastructure, UsageError
from scenarios.stages.real.preparing import prepare
from system import topics
from system.records import OPERATIONS

KEYSPACE = "wavetank"


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Generator[Remote]:
    with Embedded(tmp_path_factory.mktemp("theirs"), 1, 1) as servers:
        given: dict[tuple[str, str], Any] = {
            ("kafka", "bootstrap"): servers.bootstrap,
            ("scylla", "contact_points"): list(servers.contact_points),
            ("scylla", "port"): servers.cql_port,
        }
        with Remote(remote.read(None, given, {})) as reached:
            yield reached


def partitions(servers: Remote) -> dict[str, int]:
    admin = AdminClient({"bootstrap.servers": servers.bootstrap, "log_level": 0})
    found = admin.list_topics(timeout=10).topics
    return {name: len(topic.partitions) for name, topic in found.items()}


def cql(servers: Remote, *statements: str) -> list[Any]:
    cluster = Cluster(
        list(servers.contact_points), port=servers.nodes[0].address.port, protocol_version=4
    )
    try:
        session = cluster.connect()
        return [list(session.execute(text)) for text in statements]
    finally:
        cluster.shutdown()


def test_a_topic_with_another_partition_count_stays_unless_it_is_named(theirs: Remote) -> None:
    admin = AdminClient({"bootstrap.servers": theirs.bootstrap, "log_level": 0})
    for made in admin.create_topics([NewTopic(OPERATIONS, 3, 1)]).values():
        made.result()

    with pytest.raises(Infrastructure, match=r"has 3 partitions .* needs 4; .*--destroy balance"):
        prepare(theirs, KEYSPACE, 4, ())
    assert partitions(theirs)[OPERATIONS] == 3

    prepare(theirs, KEYSPACE, 4, (OPERATIONS,))
    assert partitions(theirs) | dict.fromkeys(topics.ALL, 4) == partitions(theirs)


def test_a_table_with_rows_stays_unless_its_keyspace_is_named(theirs: Remote) -> None:
    prepare(theirs, KEYSPACE, 4, ())
    row = f"INSERT INTO {KEYSPACE}.users_assets (user_id, asset_id) VALUES (1, 1)"
    cql(theirs, row)

    with pytest.raises(Infrastructure, match=r"users_assets holds rows.*--destroy wavetank"):
        prepare(theirs, KEYSPACE, 4, ())
    ((kept,),) = cql(theirs, f"SELECT user_id FROM {KEYSPACE}.users_assets")
    assert kept.user_id == 1

    prepare(theirs, KEYSPACE, 4, (KEYSPACE,))
    assert cql(theirs, f"SELECT user_id FROM {KEYSPACE}.users_assets") == [[]]


def test_a_keyspace_of_another_schema_version_stays_unless_it_is_named(theirs: Remote) -> None:
    prepare(theirs, KEYSPACE, 4, ())
    cql(
        theirs,
        f"DROP TABLE {KEYSPACE}.users_assets",
        f"CREATE TABLE {KEYSPACE}.users_assets (user_id bigint PRIMARY KEY)",
    )

    with pytest.raises(Infrastructure, match=r"another schema version \(tables users_assets "):
        prepare(theirs, KEYSPACE, 4, ())
    cql(theirs, f"SELECT user_id FROM {KEYSPACE}.users_assets")

    prepare(theirs, KEYSPACE, 4, (KEYSPACE,))
    cql(theirs, f"SELECT user_id, asset_id FROM {KEYSPACE}.users_assets")


def test_a_name_that_no_run_has_is_refused(theirs: Remote) -> None:
    with pytest.raises(UsageError, match=r"--destroy payments.*it has balance\.operations"):
        prepare(theirs, KEYSPACE, 4, ("payments",))
