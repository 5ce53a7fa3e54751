"""Requests of members and observers of groups in few words."""

from collections.abc import Mapping
from typing import Any

from sim.kafka import entities
from sim.kafka.protocol import duration


def join(
    group: str,
    member: str = "",
    protocols: Mapping[str, bytes] | None = None,
    *,
    kind: str = "consumer",
    session: int = 10_000,
    rebalance: int = 10_000,
    instance: str | None = None,
) -> entities.JoinGroupRequest:
    """Join a group."""
    offered = {"range": b"meta"} if protocols is None else protocols
    return entities.JoinGroupRequest(
        group_id=group,
        session_timeout=duration(session),
        rebalance_timeout=duration(rebalance),
        member_id=member,
        group_instance_id=instance,
        protocol_type=kind,
        protocols=tuple(
            entities.JoinGroupRequestProtocol(name=name, metadata=data)
            for name, data in offered.items()
        ),
    )


def sync(
    group: str, member: str, generation: int, given: Mapping[str, bytes] | None = None
) -> entities.SyncGroupRequest:
    """Give, or wait for, the assignments."""
    return entities.SyncGroupRequest(
        group_id=group,
        generation_id=generation,
        member_id=member,
        group_instance_id=None,
        assignments=tuple(
            entities.SyncGroupRequestAssignment(member_id=each, assignment=data)
            for each, data in (given or {}).items()
        ),
    )


def heartbeat(group: str, member: str, generation: int) -> entities.HeartbeatRequest:
    """Say that a member lives."""
    return entities.HeartbeatRequest(
        group_id=group, generation_id=generation, member_id=member, group_instance_id=None
    )


def leave(group: str, member: str) -> entities.LeaveGroupRequest:
    """Leave a group."""
    return entities.LeaveGroupRequest(group_id=group, member_id=member)


def commit(
    group: str,
    topic: str,
    offset: int,
    *,
    member: str = "",
    generation: int = -1,
    partition: int = 0,
    metadata: str | None = None,
    epoch: int = -1,
) -> entities.OffsetCommitRequest:
    """Commit an offset."""
    part = entities.OffsetCommitRequestPartition(
        partition_index=partition,
        committed_offset=offset,
        committed_leader_epoch=epoch,
        committed_metadata=metadata,
    )
    return entities.OffsetCommitRequest(
        group_id=group,
        generation_id_or_member_epoch=generation,
        member_id=member,
        group_instance_id=None,
        topics=(entities.OffsetCommitRequestTopic(name=topic, partitions=(part,)),),
    )


def committed(group: str, topic: str | None, *partitions: int) -> entities.OffsetFetchRequest:
    """Ask for committed offsets; of everything if no topic is named."""
    topics: Any = None
    if topic is not None:
        topics = (
            entities.OffsetFetchRequestTopic(name=topic, partition_indexes=partitions or (0,)),
        )
    return entities.OffsetFetchRequest(group_id=group, topics=topics, require_stable=False)


def describe_group(*names: str) -> entities.DescribeGroupsRequest:
    """Ask about groups."""
    return entities.DescribeGroupsRequest(groups=names, include_authorized_operations=False)


def list_groups(*states: str) -> entities.ListGroupsRequest:
    """Ask which groups there are."""
    return entities.ListGroupsRequest(states_filter=states)


def delete_group(*names: str) -> entities.DeleteGroupsRequest:
    """Delete groups."""
    return entities.DeleteGroupsRequest(groups_names=names)
