"""The states of a member, and the requests by which it joins."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from sim.kafka.client.assignors import Assignment, encode_assignment, encode_subscription
from sim.kafka.client.configuration import Settings
from sim.kafka.entities import (
    JoinGroupRequest,
    JoinGroupRequestProtocol,
    SyncGroupRequest,
    SyncGroupRequestAssignment,
)
from sim.kafka.protocol import duration
from sim.kernel import MILLISECOND

State = Literal[
    "init",
    "wait-join",
    "wait-metadata",
    "wait-sync",
    "wait-assign-call",
    "steady",
    "wait-unassign-call",
    "wait-unassign-done",
]


class Rebalance(NamedTuple):
    """A rebalance that the polling thread has to deal with."""

    assign: bool
    partitions: tuple[tuple[str, int], ...]
    lost: bool


def join_request(settings: Settings, member_id: str, topics: Sequence[str]) -> JoinGroupRequest:
    """Return the request to join, with all assignors the program allows."""
    metadata = encode_subscription(topics)
    return JoinGroupRequest(
        group_id=settings.group_id,
        session_timeout=duration(settings.session_timeout // MILLISECOND),
        rebalance_timeout=duration(settings.max_poll_interval // MILLISECOND),
        member_id=member_id,
        group_instance_id=settings.instance_id,
        protocol_type="consumer",
        protocols=tuple(
            JoinGroupRequestProtocol(name=name, metadata=metadata) for name in settings.assignors
        ),
    )


def sync_request(
    settings: Settings, member_id: str, generation: int, shares: Assignment
) -> SyncGroupRequest:
    """Return the request for one's share; the leader gives everybody's along."""
    return SyncGroupRequest(
        group_id=settings.group_id,
        generation_id=generation,
        member_id=member_id,
        group_instance_id=settings.instance_id,
        assignments=tuple(
            SyncGroupRequestAssignment(member_id=member, assignment=encode_assignment(share))
            for member, share in shares.items()
        ),
    )
