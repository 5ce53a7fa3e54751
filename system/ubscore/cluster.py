"""Whose a data directory of UBSCore is: which shard's, of which Kafka."""

from system import cluster
from system.directory import Identity
from system.records import EVENTS, OPERATIONS, ORDERS, OUTPUTS
from system.ubscore.settings import Settings

TOPICS = (OPERATIONS, EVENTS, ORDERS, OUTPUTS)


class Shard(Identity, frozen=True, kw_only=True):
    """What a shard's directory belongs to."""

    shard: int
    shards: int


def survey(settings: Settings) -> Shard:
    """Ask Kafka what a data directory of this shard would belong to."""
    partitions = settings.topics.partitions
    found = cluster.survey(settings.kafka, "ubscore", TOPICS, partitions)
    return Shard(
        shard=settings.ubscore.shard,
        shards=settings.ubscore.shards,
        partitions=partitions,
        cluster_id=found.cluster_id,
        topic_ids=found.topic_ids,
    )
