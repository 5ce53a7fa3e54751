"""What an admin client asks about topics, and the wheel's objects made of the answers."""

import importlib
from collections.abc import Sequence
from typing import Any

from sim.errors import Unmodelled
from sim.kafka.client.administrator import Administrator
from sim.kafka.client.wheel import KafkaError, error_of, real, text_of
from sim.kafka.entities import (
    AlterableConfig,
    AlterConfigsResource,
    CreatableReplicaAssignment,
    CreatableTopic,
    CreatableTopicConfig,
    CreatePartitionsAssignment,
    CreatePartitionsRequest,
    CreatePartitionsTopic,
    CreateTopicsRequest,
    DeleteRecordsPartition,
    DeleteRecordsRequest,
    DeleteRecordsTopic,
    DeleteTopicsRequest,
    DescribeConfigsRequest,
    DescribeConfigsResource,
    IncrementalAlterConfigsRequest,
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
)
from sim.kafka.protocol import duration

_OPERATION_MS = 60_000
_TOPIC = 2  # the resource type


def error_or_none(code: int, text: str | None = None) -> KafkaError | None:
    """Return the error of an item of an answer."""
    return error_of(int(code), text or text_of(int(code))) if code else None


def create(
    core: Administrator, topics: Sequence[Any], *, until: int, validate_only: bool
) -> dict[str, KafkaError | None]:
    """Create topics."""
    wanted = []
    for topic in topics:
        assignments = tuple(
            CreatableReplicaAssignment(partition_index=index, broker_ids=tuple(brokers))
            for index, brokers in enumerate(topic.replica_assignment or ())
        )
        configs = tuple(
            CreatableTopicConfig(name=str(name), value=None if value is None else str(value))
            for name, value in (topic.config or {}).items()
        )
        wanted.append(
            CreatableTopic(
                name=topic.topic,
                num_partitions=-1 if assignments else topic.num_partitions,
                replication_factor=-1 if assignments else topic.replication_factor,
                assignments=assignments,
                configs=configs,
            )
        )
    request = CreateTopicsRequest(
        topics=tuple(wanted), timeout=duration(_OPERATION_MS), validate_only=bool(validate_only)
    )
    answer = core.ask(request, until, core.controller(until))
    return {t.name: error_or_none(t.error_code, t.error_message) for t in answer.topics}


def delete(core: Administrator, topics: Sequence[str], *, until: int) -> dict[str, Any]:
    """Delete topics."""
    request = DeleteTopicsRequest(topic_names=tuple(topics), timeout=duration(_OPERATION_MS))
    answer = core.ask(request, until, core.controller(until))
    return {t.name: error_or_none(t.error_code) for t in answer.responses}


def grow(
    core: Administrator, topics: Sequence[Any], *, until: int, validate_only: bool
) -> dict[str, Any]:
    """Add partitions."""
    wanted = []
    for topic in topics:
        given = topic.replica_assignment
        assignments = None
        if given:
            assignments = tuple(CreatePartitionsAssignment(broker_ids=tuple(b)) for b in given)
        wanted.append(
            CreatePartitionsTopic(
                name=topic.topic, count=topic.new_total_count, assignments=assignments
            )
        )
    request = CreatePartitionsRequest(
        topics=tuple(wanted), timeout=duration(_OPERATION_MS), validate_only=bool(validate_only)
    )
    answer = core.ask(request, until, core.controller(until))
    return {t.name: error_or_none(t.error_code, t.error_message) for t in answer.results}


def describe(core: Administrator, names: Sequence[str], *, until: int) -> list[Any]:
    """Describe topics, in the order asked for."""
    admin, model = _wheel()
    found = []
    answer = core.refresh(until, *names)
    topics = {topic.name: topic for topic in answer.topics}
    nodes = {int(b.node_id): model.Node(int(b.node_id), b.host, b.port) for b in answer.brokers}
    for name in names:
        topic = topics[name]
        if topic.error_code:
            found.append(error_or_none(topic.error_code))
            continue
        partitions = [
            model.TopicPartitionInfo(
                int(p.partition_index),
                nodes.get(int(p.leader_id)),
                [nodes[int(n)] for n in p.replica_nodes if int(n) in nodes],
                [nodes[int(n)] for n in p.isr_nodes if int(n) in nodes],
            )
            for p in topic.partitions
        ]
        found.append(
            admin.TopicDescription(name, _uuid(topic.topic_id), bool(topic.is_internal), partitions)
        )
    return found


def describe_cluster(core: Administrator, *, until: int) -> Any:
    """Describe the cluster."""
    admin, model = _wheel()
    answer = core.refresh(until)
    nodes = {int(b.node_id): model.Node(int(b.node_id), b.host, b.port) for b in answer.brokers}
    controller = nodes.get(int(answer.controller_id))
    return admin.DescribeClusterResult(controller, list(nodes.values()), answer.cluster_id)


def describe_configs(
    core: Administrator, resources: Sequence[Any], *, until: int, broker: int
) -> dict[Any, Any]:
    """Describe configurations."""
    admin, _ = _wheel()
    request = DescribeConfigsRequest(
        resources=tuple(
            DescribeConfigsResource(
                resource_type=_topics_only(r), resource_name=r.name, configuration_keys=None
            )
            for r in resources
        )
    )
    answer = core.ask(request, until, core.by_id.get(broker))
    found = {}
    for result in answer.results:
        error = error_or_none(result.error_code, result.error_message)
        configs = {
            c.name: admin.ConfigEntry(
                c.name,
                c.value,
                source=admin.ConfigSource(int(c.config_source)),
                is_read_only=c.read_only,
                is_default=int(c.config_source) == real.CONFIG_SOURCE_DEFAULT_CONFIG,
                is_sensitive=c.is_sensitive,
            )
            for c in result.configs
        }
        resource = admin.ConfigResource(
            int(result.resource_type), result.resource_name, described_configs=configs, error=error
        )
        found[resource] = configs
    return found


def alter_configs(
    core: Administrator, resources: Sequence[Any], *, until: int, validate_only: bool, broker: int
) -> dict[Any, Any]:
    """Change configurations."""
    admin, _ = _wheel()
    request = IncrementalAlterConfigsRequest(
        resources=tuple(
            AlterConfigsResource(
                resource_type=_topics_only(r),
                resource_name=r.name,
                configs=tuple(
                    AlterableConfig(
                        name=entry.name,
                        config_operation=entry.incremental_operation.value,
                        value=entry.value,
                    )
                    for entry in r.incremental_configs
                ),
            )
            for r in resources
        ),
        validate_only=bool(validate_only),
    )
    answer = core.ask(request, until, core.by_id.get(broker))
    found: dict[Any, Any] = {}
    for result in answer.responses:
        error = error_or_none(result.error_code, result.error_message)
        kind = int(result.resource_type)
        found[admin.ConfigResource(kind, result.resource_name, error=error)] = None
    return found


def list_offsets(
    core: Administrator, partitions: Sequence[Any], *, until: int, isolation_level_value: int = 0
) -> dict[Any, Any]:
    """Look offsets up, leader by leader."""
    admin, _ = _wheel()
    found: dict[Any, Any] = {}
    for partition in partitions:
        leader = core.leader(partition.topic, partition.partition, until)
        if isinstance(leader, int):
            found[partition] = error_of(leader)
            continue
        asked = ListOffsetsPartition(
            partition_index=partition.partition, timestamp=partition.offset
        )
        request = ListOffsetsRequest(
            replica_id=-1,
            isolation_level=isolation_level_value,
            topics=(ListOffsetsTopic(name=partition.topic, partitions=(asked,)),),
        )
        part = core.ask(request, until, leader).topics[0].partitions[0]
        found[partition] = error_or_none(part.error_code) or admin.ListOffsetsResultInfo(
            int(part.offset), int(part.timestamp), int(part.leader_epoch)
        )
    return found


def delete_records(core: Administrator, partitions: Sequence[Any], *, until: int) -> dict[Any, Any]:
    """Move the beginning of logs, leader by leader."""
    admin, _ = _wheel()
    found: dict[Any, Any] = {}
    for partition in partitions:
        leader = core.leader(partition.topic, partition.partition, until)
        if isinstance(leader, int):
            found[partition] = error_of(leader)
            continue
        asked = DeleteRecordsPartition(partition_index=partition.partition, offset=partition.offset)
        request = DeleteRecordsRequest(
            topics=(DeleteRecordsTopic(name=partition.topic, partitions=(asked,)),),
            timeout=duration(_OPERATION_MS),
        )
        part = core.ask(request, until, leader).topics[0].partitions[0]
        error = error_or_none(part.error_code)
        found[partition] = error or admin.DeletedRecords(int(part.low_watermark))
    return found


def _wheel() -> tuple[Any, Any]:
    """Return the wheel's own modules, which import the stand-in and so cannot be imported first."""
    return (
        importlib.import_module("confluent_kafka.admin"),
        importlib.import_module("confluent_kafka._model"),
    )


def _topics_only(resource: Any) -> int:
    kind = int(resource.restype_int)
    if kind != _TOPIC:
        raise Unmodelled(f"configurations of {resource.restype} are not modelled; topics' are")
    return kind


def _uuid(topic_id: Any) -> Any:
    number = topic_id.int if topic_id is not None else 0
    signed = [n - 2**64 if n >= 2**63 else n for n in (number >> 64, number & (2**64 - 1))]
    return real.Uuid(*signed)
