"""Whose a data directory of the engine is: which instance's, of which Kafka."""

from system import cluster
from system.directory import Identity
from system.engine.settings import Settings
from system.records import ORDERS, OUTPUTS

TOPICS = (ORDERS, OUTPUTS)


class Instance(Identity, frozen=True, kw_only=True):
    """What an instance's directory belongs to."""

    instance: int
    instances: int


def survey(settings: Settings) -> Instance:
    """Ask Kafka what a data directory of this instance would belong to."""
    partitions = settings.topics.partitions
    found = cluster.survey(settings.kafka, "engine", TOPICS, partitions)
    return Instance(
        instance=settings.engine.instance,
        instances=settings.engine.instances,
        partitions=partitions,
        cluster_id=found.cluster_id,
        topic_ids=found.topic_ids,
    )
