"""Requests in few words; what is not given has the value that librdkafka would send."""

from collections.abc import Mapping, Sequence
from typing import Any

from sim.kafka import entities
from sim.kafka.batch import Batch
from sim.kafka.protocol import duration

SECOND = 1000


def batch(*values: bytes | None, at: int | Sequence[int] = 5, **fields: Any) -> Batch:
    """Return a batch of records with these values and times in ms."""
    times = [at] * len(values) if isinstance(at, int) else at
    records = tuple((None, value, (), time) for value, time in zip(values, times, strict=True))
    return Batch(records, **fields)


def produce(
    topic: str, *batches: Batch, partition: int = 0, acks: int = -1, transaction: str | None = None
) -> entities.ProduceRequest:
    """Append batches to a partition, in one request."""
    return produce_bytes(
        topic,
        b"".join(each.encode() for each in batches),
        partition=partition,
        acks=acks,
        transaction=transaction,
    )


def produce_bytes(
    topic: str,
    data: bytes | None,
    partition: int = 0,
    acks: int = -1,
    transaction: str | None = None,
) -> entities.ProduceRequest:
    """Append what `data` holds."""
    part = entities.PartitionProduceData(index=partition, records=data)
    return entities.ProduceRequest(
        transactional_id=transaction,
        acks=acks,
        timeout=duration(5 * SECOND),
        topic_data=(entities.TopicProduceData(name=topic, partition_data=(part,)),),
    )


def wanted(partition: int = 0, offset: int = 0, limit: int = 10**6, **more: Any) -> Any:
    """Return one partition of a Fetch."""
    return entities.FetchPartition(
        partition=partition, fetch_offset=offset, partition_max_bytes=limit, **more
    )


def fetch(
    topic: str,
    *parts: Any,
    isolation: int = 0,
    max_bytes: int = 10**6,
    wait: int = 0,
    min_bytes: int = 0,
) -> entities.FetchRequest:
    """Read partitions of a topic."""
    return entities.FetchRequest(
        max_wait=duration(wait),
        min_bytes=min_bytes,
        max_bytes=max_bytes,
        isolation_level=isolation,
        session_id=0,
        session_epoch=-1,
        forgotten_topics_data=(),
        rack_id="",
        replica_id=-1,
        topics=(entities.FetchTopic(topic=topic, partitions=parts or (wanted(),)),),
    )


def list_offsets(
    topic: str, *timestamps: int, partition: int = 0, epoch: int = -1, isolation: int = 0
) -> entities.ListOffsetsRequest:
    """Ask for the offset of the one time that is given, or of the end."""
    part = entities.ListOffsetsPartition(
        partition_index=partition,
        current_leader_epoch=epoch,
        timestamp=timestamps[0] if timestamps else -1,
    )
    return entities.ListOffsetsRequest(
        replica_id=-1,
        isolation_level=isolation,
        topics=(entities.ListOffsetsTopic(name=topic, partitions=(part,)),),
    )


def end_of_epoch(
    topic: str, epoch: int, partition: int = 0, current: int = -1
) -> entities.OffsetForLeaderEpochRequest:
    """Ask where a leader epoch ended."""
    part = entities.OffsetForLeaderPartition(
        partition=partition, current_leader_epoch=current, leader_epoch=epoch
    )
    return entities.OffsetForLeaderEpochRequest(
        topics=(entities.OffsetForLeaderTopic(topic=topic, partitions=(part,)),)
    )


def delete_records(topic: str, offset: int, partition: int = 0) -> entities.DeleteRecordsRequest:
    """Delete what is below an offset."""
    part = entities.DeleteRecordsPartition(partition_index=partition, offset=offset)
    return entities.DeleteRecordsRequest(
        topics=(entities.DeleteRecordsTopic(name=topic, partitions=(part,)),),
        timeout=duration(5 * SECOND),
    )


def create(
    name: str,
    partitions: int = 1,
    replicas: int = 1,
    config: Mapping[str, str | None] | None = None,
    *,
    assignments: Mapping[int, tuple[int, ...]] | None = None,
    times: int = 1,
    validate_only: bool = False,
) -> entities.CreateTopicsRequest:
    """Make a topic."""
    topic = entities.CreatableTopic(
        name=name,
        num_partitions=partitions,
        replication_factor=replicas,
        assignments=tuple(
            entities.CreatableReplicaAssignment(partition_index=index, broker_ids=brokers)
            for index, brokers in (assignments or {}).items()
        ),
        configs=tuple(
            entities.CreatableTopicConfig(name=key, value=value)
            for key, value in (config or {}).items()
        ),
    )
    return entities.CreateTopicsRequest(
        topics=(topic,) * times, timeout=duration(10 * SECOND), validate_only=validate_only
    )


def delete(*names: str) -> entities.DeleteTopicsRequest:
    """Delete topics."""
    return entities.DeleteTopicsRequest(topic_names=names, timeout=duration(10 * SECOND))


def grow(
    name: str, count: int, assignments: Sequence[tuple[int, ...]] | None = None, **more: Any
) -> entities.CreatePartitionsRequest:
    """Give a topic more partitions."""
    given = None
    if assignments is not None:
        given = tuple(entities.CreatePartitionsAssignment(broker_ids=ids) for ids in assignments)
    topic = entities.CreatePartitionsTopic(name=name, count=count, assignments=given)
    return entities.CreatePartitionsRequest(
        topics=(topic,),
        timeout=duration(10 * SECOND),
        validate_only=more.get("validate_only", False),
    )


def describe(
    name: str, *keys: str, kind: int = 2, synonyms: bool = False
) -> entities.DescribeConfigsRequest:
    """Ask for the configuration of a topic, or of another kind of resource."""
    resource = entities.DescribeConfigsResource(
        resource_type=kind, resource_name=name, configuration_keys=keys or None
    )
    return entities.DescribeConfigsRequest(resources=(resource,), include_synonyms=synonyms)


def alter(
    name: str,
    *changes: tuple[str, int, str | None],
    kind: int = 2,
    validate_only: bool = False,
) -> entities.IncrementalAlterConfigsRequest:
    """Change a configuration: key, operation (set, delete, append, subtract) and value of each."""
    configs = tuple(
        entities.AlterableConfig(name=key, config_operation=operation, value=value)
        for key, operation, value in changes
    )
    resource = entities.AlterConfigsResource(
        resource_type=kind, resource_name=name, configs=configs
    )
    return entities.IncrementalAlterConfigsRequest(
        resources=(resource,), validate_only=validate_only
    )


def marker(
    *topics: tuple[str, int], committed: bool = False, producer: int = 987_654
) -> entities.WriteTxnMarkersRequest:
    """End a transaction in some partitions."""
    return entities.WriteTxnMarkersRequest(
        markers=(
            entities.WritableTxnMarker(
                producer_id=producer,
                producer_epoch=0,
                transaction_result=committed,
                coordinator_epoch=0,
                topics=tuple(
                    entities.WritableTxnMarkerTopic(name=name, partition_indexes=(index,))
                    for name, index in topics
                ),
            ),
        )
    )


def metadata(*names: str, everything: bool = False, **more: Any) -> entities.MetadataRequest:
    """Ask about topics."""
    topics = tuple(entities.MetadataRequestTopic(topic_id=None, name=name) for name in names)
    return entities.MetadataRequest(
        topics=None if everything else topics,
        allow_auto_topic_creation=more.get("create", False),
        include_topic_authorized_operations=False,
    )


def coordinator(key: str, kind: int = 0) -> entities.FindCoordinatorRequest:
    """Ask who coordinates a group (kind 0) or a transactional id (1)."""
    return entities.FindCoordinatorRequest(key=key, key_type=kind)


def producer_id(
    transaction: str | None = None, producer: int = -1, epoch: int = -1
) -> entities.InitProducerIdRequest:
    """Ask for a producer id."""
    return entities.InitProducerIdRequest(
        transactional_id=transaction,
        transaction_timeout=duration(60 * SECOND),
        producer_id=producer,
        producer_epoch=epoch,
    )
