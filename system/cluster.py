"""Which Kafka this is: cluster, topics, partition counts; a directory belongs to exactly one."""

from concurrent.futures import TimeoutError as FutureTimeout
from typing import NamedTuple

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from system import kafka
from system.config import Kafka
from system.directory import Identity
from system.errors import Halt, Unreachable


class Cluster(NamedTuple):
    """A cluster as it was found, with the ids of the topics that were asked for."""

    cluster_id: str
    topic_ids: dict[str, str]


def survey(settings: Kafka, name: str, topics: tuple[str, ...], partitions: int) -> Cluster:
    """Ask Kafka which cluster it is; halt unless each topic has the configured partitions."""
    admin = AdminClient(kafka.client(settings, f"{name}-admin"))
    found = kafka.metadata(admin, settings)
    for topic in topics:
        known = found.topics.get(topic)
        if known is None or known.error is not None:
            raise Unreachable(
                f"Kafka at {settings.bootstrap} has no topic {topic}; run `setup` first"
            )
        if len(known.partitions) != partitions:
            raise Halt(
                "partition_count",
                f"{topic} has {len(known.partitions)} partitions, the configuration says"
                f" {partitions}; counts never change in place",
            )
    return Cluster(found.cluster_id or "", _topic_ids(admin, settings, topics))


def _topic_ids(admin: AdminClient, settings: Kafka, topics: tuple[str, ...]) -> dict[str, str]:
    timeout_s = settings.connect_timeout_ms / 1000
    futures = admin.describe_topics(TopicCollection(list(topics)), request_timeout=timeout_s)
    try:
        described = {topic: futures[topic].result(timeout_s + 1) for topic in topics}
    except (KafkaException, FutureTimeout) as error:
        raise Unreachable(f"Kafka at {settings.bootstrap}: {error}") from None
    return {topic: str(description.topic_id) for topic, description in described.items()}


def compare(stored: Identity, found: Identity) -> None:
    """Halt unless the directory belongs to this program, cluster and these very topics.

    A directory that an earlier version made may know fewer topics.
    """
    for field in stored.__struct_fields__:
        here, there = getattr(stored, field), getattr(found, field)
        if field == "topic_ids":
            there = {topic: found.topic_ids.get(topic) for topic in stored.topic_ids}
        if here != there and field not in ("v", "identity"):
            raise Halt(
                "wrong_directory",
                f"the data directory was made for {field} = {here}, found is {there};"
                " point the configuration at the right directory or cluster",
            )
