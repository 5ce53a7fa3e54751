"""Committed offsets: OffsetCommit, OffsetFetch, and how old ones are forgotten.

**Faithful** (`GroupMetadataManager.java`, `OffsetMetadataManager.java`, KIP-211): who may commit
and when; any offset is taken, backwards and beyond the end too, and nobody asks who owns the
partition; metadata up to 4096 characters; offsets of an empty group go after the retention; they
survive a crash of the coordinator.
**Simplified**: the record of a commit is durable when it is answered; no transactional commits
and so nothing is ever unstable; offsets of topics that a living group no longer reads stay.
"""

from typing import Any

from sim.kafka.cluster.group import COMPLETING, EMPTY, Commit, Group
from sim.kafka.cluster.membership import coordination_error
from sim.kafka.cluster.rebalance import hear
from sim.kafka.cluster.state import MILLISECOND, State
from sim.kafka.entities import (
    ErrorCode,
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitResponse,
    OffsetCommitResponsePartition,
    OffsetCommitResponseTopic,
    OffsetFetchRequest,
    OffsetFetchResponse,
    OffsetFetchResponsePartition,
    OffsetFetchResponseTopic,
)
from sim.kafka.protocol import ZERO, Request


def commit(state: State, now_ns: int, connection: int, request: Request) -> OffsetCommitResponse:  # noqa: ARG001
    """Serve OffsetCommit."""
    body: OffsetCommitRequest = request.body
    error = coordination_error(state, body.group_id)
    if not error:
        error = _commit_refusal(state, now_ns, body)
    answers = []
    for topic in body.topics:
        parts = []
        for part in topic.partitions:
            outcome = _commit_one(state, now_ns, body.group_id, topic.name, part, error)
            parts.append(
                OffsetCommitResponsePartition(
                    partition_index=part.partition_index, error_code=outcome
                )
            )
        answers.append(OffsetCommitResponseTopic(name=topic.name, partitions=tuple(parts)))
    return OffsetCommitResponse(throttle_time=ZERO, topics=tuple(answers))


def committed(state: State, now_ns: int, connection: int, request: Request) -> OffsetFetchResponse:  # noqa: ARG001
    """Serve OffsetFetch; no topics asked for means all there are."""
    body: OffsetFetchRequest = request.body
    error = coordination_error(state, body.group_id)
    group = state.groups.get(body.group_id)
    commits = group.commits if group is not None and not error else {}
    if body.topics is None:
        wanted: dict[str, list[int]] = {}
        for topic, partition in sorted(commits):
            wanted.setdefault(topic, []).append(partition)
    else:
        wanted = {topic.name: list(topic.partition_indexes) for topic in body.topics}
    topics = tuple(
        OffsetFetchResponseTopic(
            name=topic,
            partitions=tuple(_fetched(i, commits.get((topic, i)), error) for i in indexes),
        )
        for topic, indexes in wanted.items()
    )
    return OffsetFetchResponse(throttle_time=ZERO, topics=topics, error_code=error)


def expire_commits(state: State, now_ns: int) -> None:
    """Forget the offsets of groups that have long been empty, then the groups."""
    settings = state.settings
    state.timer(("expiry",), now_ns + settings.offsets_retention_check_ms * MILLISECOND)
    oldest = now_ns // MILLISECOND - settings.offsets_retention_ms
    for name, group in list(state.groups.items()):
        if group.state != EMPTY or group.members or group.pending:
            continue
        for (topic, partition), entry in list(group.commits.items()):
            if max(entry.at_ms, group.empty_since_ms) < oldest:
                del group.commits[topic, partition]
                state.record("expire", name, topic, partition)
        if not group.commits:
            del state.groups[name]
            state.record("group", name, "deleted", group.generation)


def forget_topic(state: State, name: str) -> None:
    """Forget what was committed for a topic that is deleted."""
    for group in state.groups.values():
        for topic, partition in list(group.commits):
            if topic == name:
                del group.commits[topic, partition]
                state.record("expire", group.name, topic, partition)


def _commit_refusal(state: State, now_ns: int, body: OffsetCommitRequest) -> ErrorCode:
    group = state.groups.get(body.group_id)
    generation = body.generation_id_or_member_epoch
    if body.group_instance_id is not None:
        return ErrorCode.unsupported_version
    if group is None:
        if generation >= 0:
            return ErrorCode.illegal_generation
        return ErrorCode.none
    if generation < 0 and group.state == EMPTY:
        return ErrorCode.none
    member = group.members.get(body.member_id)
    if member is None:
        return ErrorCode.unknown_member_id
    if generation != group.generation:
        return ErrorCode.illegal_generation
    if group.state == COMPLETING:
        return ErrorCode.rebalance_in_progress
    hear(member, now_ns)
    return ErrorCode.none


def _commit_one(
    state: State,
    now_ns: int,
    group: str,
    topic: str,
    part: OffsetCommitRequestPartition,
    error: ErrorCode,
) -> ErrorCode:
    if state.image.find(topic, part.partition_index) is None:
        return ErrorCode.unknown_topic_or_partition  # before the coordinator is asked
    if error:
        return error
    metadata = part.committed_metadata or ""
    if len(metadata) > state.settings.offset_metadata_max_bytes:
        return ErrorCode.offset_metadata_too_large
    entry = Commit(
        part.committed_offset, part.committed_leader_epoch, metadata, now_ns // MILLISECOND
    )
    found = state.groups.get(group)
    if found is None:
        found = state.groups[group] = Group(group)
    found.commits[topic, part.partition_index] = entry
    state.record("commit", group, topic, part.partition_index, *entry)
    return ErrorCode.none


def _fetched(index: int, entry: Commit | None, error: ErrorCode) -> Any:
    if entry is None:
        entry = Commit(-1, -1, "", -1)
    return OffsetFetchResponsePartition(
        partition_index=index,
        committed_offset=entry.offset,
        committed_leader_epoch=entry.leader_epoch,
        metadata=entry.metadata,
        error_code=error,
    )
