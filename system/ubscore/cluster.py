"""Which Kafka this is: cluster, topics, partition counts; a directory belongs to exactly one."""

from concurrent.futures import TimeoutError as FutureTimeout

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from system import kafka
from system.errors import Halt, Unreachable
from system.records import EVENTS, OPERATIONS
from system.ubscore.directory import Identity
from system.ubscore.settings import Settings

TOPICS = (OPERATIONS, EVENTS)


def survey(settings: Settings) -> Identity:
    """Ask Kafka what a data directory of this shard would belong to."""
    admin = AdminClient(kafka.client(settings.kafka, "ubscore-admin"))
    found = kafka.metadata(admin, settings.kafka)
    for topic in TOPICS:
        known = found.topics.get(topic)
        if known is None or known.error is not None:
            raise Unreachable(
                f"Kafka at {settings.kafka.bootstrap} has no topic {topic}; run `setup` first"
            )
        if len(known.partitions) != settings.topics.partitions:
            raise Halt(
                "partition_count",
                f"{topic} has {len(known.partitions)} partitions, the configuration says"
                f" {settings.topics.partitions}; counts never change in place",
            )
    return Identity(
        shard=settings.ubscore.shard,
        shards=settings.ubscore.shards,
        partitions=settings.topics.partitions,
        cluster_id=found.cluster_id or "",
        topic_ids=_topic_ids(admin, settings),
    )


def _topic_ids(admin: AdminClient, settings: Settings) -> dict[str, str]:
    timeout_s = settings.kafka.connect_timeout_ms / 1000
    futures = admin.describe_topics(TopicCollection(list(TOPICS)), request_timeout=timeout_s)
    try:
        described = {topic: futures[topic].result(timeout_s + 1) for topic in TOPICS}
    except (KafkaException, FutureTimeout) as error:
        raise Unreachable(f"Kafka at {settings.kafka.bootstrap}: {error}") from None
    return {topic: str(description.topic_id) for topic, description in described.items()}


def compare(stored: Identity, found: Identity) -> None:
    """Halt unless the directory belongs to this shard, cluster and these very topics."""
    for field in ("shard", "shards", "partitions", "partitioner", "cluster_id", "topic_ids"):
        here, there = getattr(stored, field), getattr(found, field)
        if here != there:
            raise Halt(
                "wrong_directory",
                f"the data directory was made for {field} = {here}, found is {there};"
                " point the configuration at the right directory or cluster",
            )
