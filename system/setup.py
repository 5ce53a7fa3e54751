"""`setup`: creates the topics and the tables; running it again changes nothing."""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from system import database, exits, kafka, schema, topics
from system.config import Kafka, Positive, Section, Topics
from system.database import Scylla
from system.errors import ConfigError, Unreachable
from system.log import Log


class Tables(Section, frozen=True):
    """What the keyspace looks like."""

    replication: Positive = 3


class Settings(Section, frozen=True):
    """The configuration file of `setup`."""

    kafka: Kafka
    scylla: Scylla
    topics: Topics = Topics()
    tables: Tables = Tables()


class Setup:
    """Prepares an empty cluster and an empty database."""

    name: ClassVar[str] = "setup"
    Config: ClassVar[type[msgspec.Struct]] = Settings

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.log = Log(self.name)

    def stop(self) -> None:
        """Nothing to do: it ends by itself, and an interrupted one is simply run again."""

    def run(self) -> int:
        """Create what is not there."""
        self.create_topics()
        self.create_tables()
        return exits.OK

    def create_topics(self) -> None:
        """Create the topics with the settings the programs rely on; refuse others of the names."""
        own = self.settings
        admin = AdminClient(kafka.client(own.kafka, self.name))
        self.refuse_others(kafka.metadata(admin, own.kafka).topics)
        wanted = [
            NewTopic(
                topic,
                num_partitions=own.topics.partitions,
                replication_factor=own.topics.replication,
                config=topics.settings(own.topics),
            )
            for topic in topics.ALL
        ]
        timeout_s = own.kafka.connect_timeout_ms / 1000
        for topic, future in admin.create_topics(wanted, request_timeout=timeout_s).items():
            try:
                future.result()
                self.log.info("created", topic=topic)
            except KafkaException as failure:
                error = failure.args[0]
                if error.code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise Unreachable(f"creating topic {topic}: {error.str()}") from None
                self.log.info("exists", topic=topic)

    def refuse_others(self, there: Mapping[str, Any]) -> None:
        """Refuse topics that have other partition counts than those to be created."""
        wanted = self.settings.topics.partitions
        for topic in topics.ALL:
            found = there.get(topic)
            if found is not None and found.partitions and len(found.partitions) != wanted:
                raise ConfigError(
                    f"topic {topic} is there and has {len(found.partitions)} partitions,"
                    f" topics.partitions = {wanted}; counts never change in place: set"
                    f" topics.partitions = {len(found.partitions)}, or delete the topic first"
                )

    def create_tables(self) -> None:
        """Create the tables that are not there; refuse others of the same names."""
        own = self.settings
        session = database.connect(own.scylla)
        try:
            differing = schema.differing(schema.found(session.query, own.scylla.keyspace))
            if differing:
                raise ConfigError(
                    f"keyspace {own.scylla.keyspace} is of another schema version (tables"
                    f" {', '.join(differing)} differ); set scylla.keyspace to another one, or"
                    " migrate it first"
                )
            for statement in schema.load(own.scylla.keyspace, own.tables.replication):
                session.execute(statement)
        finally:
            session.close()
        self.log.info("tables", keyspace=own.scylla.keyspace)
