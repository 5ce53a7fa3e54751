"""The wheel's own metadata objects, filled from a simulated cluster's answer."""

import importlib
from typing import Any

from sim.kafka.client.client import Client
from sim.kafka.client.wheel import KafkaError, error_of


def cluster_metadata(response: Any, client: Client) -> Any:
    """Return a `ClusterMetadata` as the C module makes it."""
    # The wheel imports the stand-in, so the stand-in asks for the wheel's classes late.
    classes = importlib.import_module("confluent_kafka.admin")
    found = classes.ClusterMetadata()
    found.cluster_id = response.cluster_id
    found.controller_id = int(response.controller_id)
    for broker in response.brokers:
        entry = classes.BrokerMetadata()
        entry.id, entry.host, entry.port = int(broker.node_id), broker.host, broker.port
        found.brokers[entry.id] = entry
    for topic in response.topics:
        found.topics[topic.name] = _topic(topic, classes)
    found.orig_broker_id, found.orig_broker_name = client.metadata.origin
    return found


def _topic(topic: Any, classes: Any) -> Any:
    entry = classes.TopicMetadata()
    entry.topic = topic.name
    entry.error = _error(topic.error_code)
    for partition in topic.partitions:
        part = classes.PartitionMetadata()
        part.id = int(partition.partition_index)
        part.leader = int(partition.leader_id)
        part.replicas = [int(node) for node in partition.replica_nodes]
        part.isrs = [int(node) for node in partition.isr_nodes]
        part.error = _error(partition.error_code)
        entry.partitions[part.id] = part
    return entry


def _error(code: int) -> KafkaError | None:
    return error_of(int(code)) if code else None
