"""Setup: topics are made once, and others of their names are refused before any is made."""

from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from system import topics
from system.config import Kafka, Topics
from system.database import Scylla
from system.errors import ConfigError
from system.records import OUTPUTS
from system.setup import Settings, Setup
from tests.sim.tcp.kafka.served import Served


def setup(bootstrap: str, partitions: int) -> Setup:
    wanted = Topics(partitions=partitions, replication=1, min_insync=1)
    nowhere = Scylla(contact_points=("none",))
    return Setup(Settings(kafka=Kafka(bootstrap=bootstrap), scylla=nowhere, topics=wanted))


def test_topics_are_made_once_and_another_count_of_partitions_is_refused(tmp_path: Path) -> None:
    with Served(tmp_path / "kafka-1") as broker:
        admin = AdminClient({"bootstrap.servers": broker.bootstrap})
        admin.create_topics([NewTopic(OUTPUTS, num_partitions=3)])[OUTPUTS].result(10)
        with pytest.raises(ConfigError, match=r"engine.outputs is there and has 3 partitions"):
            setup(broker.bootstrap, 2).create_topics()
        assert set(admin.list_topics(timeout=10).topics) == {OUTPUTS}, "nothing was made"

        setup(broker.bootstrap, 3).create_topics()
        setup(broker.bootstrap, 3).create_topics()
        made = admin.list_topics(timeout=10).topics

    assert {name: len(topic.partitions) for name, topic in made.items()} == dict.fromkeys(
        topics.ALL, 3
    )
