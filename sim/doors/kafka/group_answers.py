"""What an admin client asks about groups, and the wheel's objects made of the answers."""

import importlib
from collections.abc import Sequence
from typing import Any

from sim.doors.kafka.topic_answers import error_or_none
from sim.kafka.client.administrator import Administrator
from sim.kafka.client.assignors import decode_assignment
from sim.kafka.client.commits import on_the_wire
from sim.kafka.client.values import OFFSET_INVALID, result
from sim.kafka.client.wheel import KafkaException, error_of
from sim.kafka.entities import (
    DeleteGroupsRequest,
    DescribeGroupsRequest,
    ListGroupsRequest,
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
    OffsetFetchRequest,
    OffsetFetchRequestTopic,
)

_STATES = {
    "PreparingRebalance": "PREPARING_REBALANCING",
    "CompletingRebalance": "COMPLETING_REBALANCING",
    "Stable": "STABLE",
    "Dead": "DEAD",
    "Empty": "EMPTY",
}


def listing(
    core: Administrator,
    *,
    until: int,
    states_int: Sequence[int] = (),
    types_int: Sequence[int] = (),
) -> Any:
    """List the groups that all brokers coordinate."""
    wheel = _wheel()
    core.refresh(until)
    valid, errors = [], []
    classic = _model().ConsumerGroupType.CLASSIC
    for broker in list(core.by_id.values()):
        try:
            answer = core.ask(ListGroupsRequest(states_filter=()), until, broker)
        except KafkaException as error:
            errors.append(error)
            continue
        if answer.error_code:
            errors.append(KafkaException(error_or_none(answer.error_code)))
        for group in answer.groups:
            state = _state(group.group_state)
            if states_int and state.value not in states_int:
                continue
            if types_int and classic.value not in types_int:
                continue
            simple = group.protocol_type == ""
            valid.append(wheel.ConsumerGroupListing(group.group_id, simple, state, classic))
    return wheel.ListConsumerGroupsResult(valid=valid, errors=errors)


def describe(core: Administrator, groups: Sequence[str], *, until: int) -> list[Any]:
    """Describe groups, each by its coordinator."""
    wheel = _wheel()
    node_of = _model().Node
    found: list[Any] = []
    for name in groups:
        broker = core.coordinator(name, until)
        request = DescribeGroupsRequest(groups=(name,), include_authorized_operations=False)
        group = core.ask(request, until, broker).groups[0]
        if group.error_code:
            found.append(error_or_none(group.error_code))
            continue
        members = [
            wheel.MemberDescription(
                m.member_id,
                m.client_id,
                m.client_host,
                wheel.MemberAssignment(
                    [
                        result(topic, index, OFFSET_INVALID)
                        for topic, index in decode_assignment(m.member_assignment)
                    ]
                ),
                m.group_instance_id,
            )
            for m in group.members
        ]
        found.append(
            wheel.ConsumerGroupDescription(
                name,
                group.protocol_type == "",
                members,
                group.protocol_data,
                _state(group.group_state),
                node_of(broker.node_id, broker.host, broker.port),
                type=_model().ConsumerGroupType.CLASSIC,
            )
        )
    return found


def delete(core: Administrator, groups: Sequence[str], *, until: int) -> list[Any]:
    """Delete groups that are empty."""
    found = []
    for name in groups:
        request = DeleteGroupsRequest(groups_names=(name,))
        answer = core.ask(request, until, core.coordinator(name, until))
        found.append(error_or_none(answer.results[0].error_code))
    return found


def offsets(
    core: Administrator, requests: Sequence[Any], *, until: int, require_stable: bool
) -> list[Any]:
    """Return the committed offsets of groups."""
    model = _model()
    found: list[Any] = []
    for asked in requests:
        topics = None
        if asked.topic_partitions is not None:
            names: dict[str, list[int]] = {}
            for partition in asked.topic_partitions:
                names.setdefault(partition.topic, []).append(partition.partition)
            topics = tuple(
                OffsetFetchRequestTopic(name=name, partition_indexes=tuple(parts))
                for name, parts in names.items()
            )
        request = OffsetFetchRequest(
            group_id=asked.group_id, topics=topics, require_stable=bool(require_stable)
        )
        answer = core.ask(request, until, core.coordinator(asked.group_id, until))
        if answer.error_code:
            found.append(error_or_none(answer.error_code))
            continue
        partitions = [
            result(
                topic.name,
                part.partition_index,
                part.committed_offset if part.committed_offset >= 0 else OFFSET_INVALID,
                metadata=part.metadata or None,
                epoch=part.committed_leader_epoch,
                error=error_or_none(part.error_code),
            )
            for topic in answer.topics
            for part in topic.partitions
        ]
        found.append(model.ConsumerGroupTopicPartitions(asked.group_id, partitions))
    return found


def alter_offsets(core: Administrator, requests: Sequence[Any], *, until: int) -> list[Any]:
    """Commit offsets in the name of groups without members."""
    model = _model()
    found = []
    for asked in requests:
        topics: dict[str, list[OffsetCommitRequestPartition]] = {}
        for partition in asked.topic_partitions:
            part = OffsetCommitRequestPartition(
                partition_index=partition.partition,
                committed_offset=partition.offset,
                committed_metadata=on_the_wire(partition.metadata),
            )
            topics.setdefault(partition.topic, []).append(part)
        request = OffsetCommitRequest(
            group_id=asked.group_id,
            generation_id_or_member_epoch=-1,
            member_id="",
            topics=tuple(
                OffsetCommitRequestTopic(name=name, partitions=tuple(parts))
                for name, parts in topics.items()
            ),
        )
        answer = core.ask(request, until, core.coordinator(asked.group_id, until))
        errors = {
            (topic.name, part.partition_index): int(part.error_code)
            for topic in answer.topics
            for part in topic.partitions
        }
        partitions = [
            result(p.topic, p.partition, p.offset, error=_error(errors[p.topic, p.partition]))
            for p in asked.topic_partitions
        ]
        found.append(model.ConsumerGroupTopicPartitions(asked.group_id, partitions))
    return found


def _error(code: int) -> Any:
    return error_of(code) if code else None


def _state(name: str) -> Any:
    states = _model().ConsumerGroupState
    return states[_STATES[name]] if name in _STATES else states.UNKNOWN


def _wheel() -> Any:
    return importlib.import_module("confluent_kafka.admin")


def _model() -> Any:
    return importlib.import_module("confluent_kafka._model")
