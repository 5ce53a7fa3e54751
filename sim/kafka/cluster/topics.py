"""Topics made, grown, deleted and configured by an administrator.

**Faithful** (`ReplicationControlManager.java`, `ConfigurationControlManager.java`): errors for
each topic, `validate_only`, defaults for -1, chosen leaders by manual assignment, configuration
sources; deleting a topic deletes the offsets committed for it.
**Simplified**: any broker carries the change out at once (KIP-590 forwards it to the controller);
of configurations only those of topics; no APPEND or SUBTRACT, as no modelled key is a list; no
synonyms, and what is not the topic's own is a default (Kafka has min.insync.replicas for all
brokers: admin.what_configurations_say in tests/conformance/kafka).
"""

from collections.abc import Mapping
from typing import Any

from sim.kafka.cluster.configs import DEFAULTS, ConfigError
from sim.kafka.cluster.image import Refused, legal, refused
from sim.kafka.cluster.state import State
from sim.kafka.entities import (
    AlterConfigsResource,
    AlterConfigsResourceResponse,
    CreatableTopic,
    CreatableTopicResult,
    CreatePartitionsResponse,
    CreatePartitionsTopic,
    CreatePartitionsTopicResult,
    CreateTopicsResponse,
    DeletableTopicResult,
    DeleteTopicsResponse,
    DescribeConfigsResource,
    DescribeConfigsResourceResult,
    DescribeConfigsResponse,
    DescribeConfigsResult,
    ErrorCode,
    IncrementalAlterConfigsResponse,
)
from sim.kafka.protocol import ZERO, Request

_NONE = ErrorCode.none
_TOPIC_RESOURCE = 2
_FROM_TOPIC, _FROM_DEFAULT = 1, 5  # ConfigSource of DescribeConfigs
_SET, _DELETE, _APPEND, _SUBTRACT = range(4)


def create_topics(state: State, now_ns: int, connection: int, request: Request) -> Any:  # noqa: ARG001
    """Serve CreateTopics."""
    names = [topic.name for topic in request.body.topics]
    results = []
    for topic in {topic.name: topic for topic in request.body.topics}.values():
        error, message = _NONE, None
        try:
            if names.count(topic.name) > 1:
                raise refused(ErrorCode.invalid_request, "Duplicate topic name.")
            _create(state, topic, validate_only=request.body.validate_only)
        except Refused as refusal:
            error, message = refusal.code, str(refusal) or None
        results.append(
            CreatableTopicResult(name=topic.name, error_code=error, error_message=message)
        )
    return CreateTopicsResponse(throttle_time=ZERO, topics=tuple(results))


def delete_topics(state: State, now_ns: int, connection: int, request: Request) -> Any:  # noqa: ARG001
    """Serve DeleteTopics."""
    results = []
    names = request.body.topic_names
    for name in dict.fromkeys(names):
        error = _NONE
        if names.count(name) > 1:
            error = ErrorCode.invalid_request
        elif name in state.image.topics:
            state.image.delete_topic(name)
            state.record("topic", name, "deleted")
        else:
            error = ErrorCode.unknown_topic_or_partition
        results.append(DeletableTopicResult(name=name, error_code=error))
    return DeleteTopicsResponse(throttle_time=ZERO, responses=tuple(results))


def create_partitions(state: State, now_ns: int, connection: int, request: Request) -> Any:  # noqa: ARG001
    """Serve CreatePartitions."""
    results = []
    for topic in request.body.topics:
        error, message = _NONE, None
        try:
            _grow(state, topic, validate_only=request.body.validate_only)
        except Refused as refusal:
            error, message = refusal.code, str(refusal) or None
        results.append(
            CreatePartitionsTopicResult(name=topic.name, error_code=error, error_message=message)
        )
    return CreatePartitionsResponse(throttle_time=ZERO, results=tuple(results))


def describe_configs(state: State, now_ns: int, connection: int, request: Request) -> Any:  # noqa: ARG001
    """Serve DescribeConfigs for topics."""
    return DescribeConfigsResponse(
        throttle_time=ZERO,
        results=tuple(_describe(state, resource) for resource in request.body.resources),
    )


def alter_configs(state: State, now_ns: int, connection: int, request: Request) -> Any:  # noqa: ARG001
    """Serve IncrementalAlterConfigs for topics (KIP-339)."""
    responses = []
    for resource in request.body.resources:
        error, message = _NONE, None
        try:
            _alter(state, resource, validate_only=request.body.validate_only)
        except Refused as refusal:
            error, message = refusal.code, str(refusal) or None
        responses.append(
            AlterConfigsResourceResponse(
                error_code=error,
                error_message=message,
                resource_type=resource.resource_type,
                resource_name=resource.resource_name,
            )
        )
    return IncrementalAlterConfigsResponse(throttle_time=ZERO, responses=tuple(responses))


def _create(state: State, topic: CreatableTopic, *, validate_only: bool) -> None:
    image = state.image
    count, replicas = topic.num_partitions, topic.replication_factor
    leaders: tuple[int, ...] = ()
    if topic.assignments:
        if (count, replicas) != (-1, -1):
            raise refused(
                ErrorCode.invalid_request,
                "A manual partition assignment was specified, but numPartitions or"
                " replicationFactor was not set to -1.",
            )
        leaders = _assigned(
            state, {each.partition_index: each.broker_ids for each in topic.assignments}
        )
        count, replicas = len(leaders), 1
    count = state.settings.num_partitions if count == -1 else count
    given = {config.name: config.value for config in topic.configs}
    config = image.check_topic(topic.name, count, 1 if replicas == -1 else replicas, given)
    if not validate_only:
        image.create_topic(topic.name, config, count, leaders)
        state.record("topic", topic.name, "created", count)


def _assigned(state: State, assignments: Mapping[int, tuple[int, ...]]) -> tuple[int, ...]:
    if sorted(assignments) != list(range(len(assignments))):
        raise refused(
            ErrorCode.invalid_replica_assignment,
            "partitions should be a consecutive 0-based integer sequence",
        )
    leaders = []
    for index in range(len(assignments)):
        replicas = assignments[index]
        if len(replicas) != 1 or replicas[0] not in state.image.nodes:
            raise refused(
                ErrorCode.invalid_replica_assignment,
                f"replicas {list(replicas)} of partition {index}: one known broker is wanted",
            )
        leaders.append(replicas[0])
    return tuple(leaders)


def _grow(state: State, wanted: CreatePartitionsTopic, *, validate_only: bool) -> None:
    topic = state.image.topics.get(wanted.name)
    if topic is None:
        raise refused(ErrorCode.unknown_topic_or_partition)
    present = len(topic.partitions)
    if wanted.count <= present:
        raise refused(
            ErrorCode.invalid_partitions,
            f"The topic {wanted.name} currently has {present} partition(s);"
            f" {wanted.count} would not be an increase.",
        )
    leaders: tuple[int, ...] = ()
    if wanted.assignments is not None:
        given = [each.broker_ids for each in wanted.assignments]
        if len(given) != wanted.count - present:
            raise refused(
                ErrorCode.invalid_replica_assignment,
                f"{wanted.count - present} additional partitions, and {len(given)} assignments",
            )
        leaders = _assigned(state, dict(enumerate(given)))
    if not validate_only:
        state.image.grow_topic(topic, wanted.count, leaders)
        state.record("topic", wanted.name, "grown", wanted.count)


def _describe(state: State, resource: DescribeConfigsResource) -> DescribeConfigsResult:
    topic = state.image.topics.get(resource.resource_name)
    error, message = _NONE, ""
    if resource.resource_type != _TOPIC_RESOURCE:
        error, message = ErrorCode.invalid_request, "only topics are modelled"
    elif not legal(resource.resource_name):
        error, message = ErrorCode.invalid_topic_exception, "the name of the topic is illegal"
    elif topic is None:
        error = ErrorCode.unknown_topic_or_partition
    configs = []
    if topic is not None and not error:
        given, keys = topic.config.given, resource.configuration_keys
        for name, default in DEFAULTS.items():
            if keys is None or name in keys:
                source = _FROM_TOPIC if name in given else _FROM_DEFAULT
                configs.append(
                    DescribeConfigsResourceResult(
                        name=name,
                        value=given.get(name, default),
                        read_only=False,
                        config_source=source,
                        is_sensitive=False,
                        synonyms=(),
                    )
                )
    return DescribeConfigsResult(
        error_code=error,
        error_message=message,
        resource_type=resource.resource_type,
        resource_name=resource.resource_name,
        configs=tuple(configs),
    )


def _alter(state: State, resource: AlterConfigsResource, *, validate_only: bool) -> None:
    topic = state.image.topics.get(resource.resource_name)
    if resource.resource_type != _TOPIC_RESOURCE:
        raise refused(ErrorCode.invalid_request, "only topics are modelled")
    changes = _changes(resource)
    if not resource.resource_name:
        raise refused(ErrorCode.invalid_request, "Default topic resources are not allowed.")
    if not legal(resource.resource_name):
        raise refused(ErrorCode.invalid_topic_exception, "the name of the topic is illegal")
    if topic is None:
        raise refused(
            ErrorCode.unknown_topic_or_partition,
            f"The topic '{resource.resource_name}' does not exist.",
        )
    try:
        changed = topic.config.changed(changes)
    except ConfigError as error:
        raise refused(ErrorCode.invalid_config, str(error)) from error
    if not validate_only:
        state.image.configure_topic(topic, changed)
        state.record("topic", topic.name, "configured", repr(changed.given))


def _changes(resource: AlterConfigsResource) -> dict[str, str | None]:
    """Return the value that each key is to have, None for its default."""
    changes: dict[str, str | None] = {}
    for config in resource.configs:
        operation = config.config_operation
        if config.name in changes:
            raise refused(ErrorCode.invalid_request, f"{config.name} is there twice")
        if operation not in (_SET, _DELETE, _APPEND, _SUBTRACT):
            raise refused(ErrorCode.unknown_server_error)
        if operation != _DELETE and config.value is None:
            raise refused(ErrorCode.invalid_request, f"Null value not supported for {config.name}")
        if operation in (_APPEND, _SUBTRACT):
            raise refused(ErrorCode.invalid_config, f"{config.name} is not a list")
        changes[config.name] = config.value if operation == _SET else None
    return changes
