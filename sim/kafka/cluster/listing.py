"""Groups as an administrator sees them: ListGroups, DescribeGroups, DeleteGroups.

**Faithful** (`GroupCoordinatorService.java`): each broker lists the groups it coordinates; an
unknown group is described as Dead; only an empty group can be deleted, its offsets with it.
"""

from typing import Any

from sim.kafka.cluster.group import EMPTY, STABLE, Group
from sim.kafka.cluster.membership import coordination_error
from sim.kafka.cluster.state import State
from sim.kafka.entities import (
    DeletableGroupResult,
    DeleteGroupsResponse,
    DescribedGroup,
    DescribedGroupMember,
    DescribeGroupsResponse,
    ErrorCode,
    ListedGroup,
    ListGroupsResponse,
)
from sim.kafka.protocol import ZERO, Request


def list_groups(state: State, now_ns: int, connection: int, request: Request) -> Any:  # noqa: ARG001
    """Serve ListGroups."""
    wanted = request.body.states_filter
    loading = state.loading
    error = ErrorCode.coordinator_load_in_progress if loading else ErrorCode.none
    groups = tuple(
        ListedGroup(group_id=group.name, protocol_type=group.protocol_type, group_state=group.state)
        for group in state.groups.values()
        if not wanted or group.state in wanted
    )
    return ListGroupsResponse(
        throttle_time=ZERO, error_code=error, groups=() if loading else groups
    )


def describe_groups(state: State, now_ns: int, connection: int, request: Request) -> Any:  # noqa: ARG001
    """Serve DescribeGroups."""
    groups = []
    for name in request.body.groups:
        error = coordination_error(state, name)
        groups.append(_described(name, None if error else state.groups.get(name), error))
    return DescribeGroupsResponse(throttle_time=ZERO, groups=tuple(groups))


def delete_groups(state: State, now_ns: int, connection: int, request: Request) -> Any:  # noqa: ARG001
    """Serve DeleteGroups."""
    results = []
    for name in request.body.groups_names:
        error, group = coordination_error(state, name), state.groups.get(name)
        if not error:
            if group is None:
                error = ErrorCode.group_id_not_found
            elif group.state != EMPTY or group.pending:
                error = ErrorCode.non_empty_group
            else:
                del state.groups[name]
                state.record("group", name, "deleted", group.generation)
        results.append(DeletableGroupResult(group_id=name, error_code=error))
    return DeleteGroupsResponse(throttle_time=ZERO, results=tuple(results))


def _described(name: str, group: Group | None, error: ErrorCode) -> DescribedGroup:
    members = () if group is None else tuple(group.members.values())
    protocol = "" if group is None else group.protocol
    settled = group is not None and group.state == STABLE
    dead = "" if error else "Dead"
    return DescribedGroup(
        error_code=error,
        group_id=name,
        group_state=dead if group is None else group.state,
        protocol_type="" if group is None else group.protocol_type,
        protocol_data=protocol if settled else "",
        members=tuple(
            DescribedGroupMember(
                member_id=member.member_id,
                group_instance_id=None,
                client_id=member.client_id,
                client_host=member.client_host,
                member_metadata=member.metadata(protocol) if settled else b"",
                member_assignment=member.assignment,
            )
            for member in members
        ),
    )
