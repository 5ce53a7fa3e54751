"""Who is in a group: JoinGroup, SyncGroup, Heartbeat, LeaveGroup and the timers behind them.

**Faithful** (classic protocol; `GroupCoordinator.scala`, `GroupMetadataManager.java`): member ids
before joining (KIP-394), the initial rebalance delay and its extensions, rebalances that wait for
all known members up to the longest of their rebalance timeouts and drop those that stayed away,
leader = first to join, the protocol most members prefer, members that do not sync in time
(KIP-559's pending sync), sessions, repeated joins after a lost answer, 5 minutes for a new member
whose connection died.
**Simplified**: no static members (a `group.instance.id` is refused with UNSUPPORTED_VERSION:
groups.static_members in tests/conformance/kafka), no KIP-848 groups, no share or streams groups,
no `group.max.size`.
"""

import uuid

from sim.kafka.cluster.group import COMPLETING, EMPTY, PREPARING, STABLE, Group, Member
from sim.kafka.cluster.rebalance import (
    complete_sync,
    hear,
    join_error,
    join_result,
    leave_rebalance,
    prepare,
    sync_result,
    try_complete,
)
from sim.kafka.cluster.state import MILLISECOND, State
from sim.kafka.entities import (
    ErrorCode,
    HeartbeatRequest,
    HeartbeatResponse,
    JoinGroupRequest,
    JoinGroupResponse,
    LeaveGroupRequest,
    LeaveGroupResponse,
    SyncGroupRequest,
    SyncGroupResponse,
)
from sim.kafka.protocol import ZERO, Request, milliseconds


def coordination_error(state: State, group: str) -> ErrorCode:
    """Return why this broker cannot serve `group`, or none.

    The empty name is a group like any other, except that nobody can be its member.
    """
    if state.image.coordinator(group) != state.broker_id:
        return ErrorCode.not_coordinator
    if state.loading:
        return ErrorCode.coordinator_load_in_progress
    return ErrorCode.none


def _membership_error(state: State, group: str) -> ErrorCode:
    return coordination_error(state, group) if group else ErrorCode.invalid_group_id


def join(state: State, now_ns: int, connection: int, request: Request) -> JoinGroupResponse | None:
    """Serve JoinGroup; the answer comes when the rebalance is complete."""
    body: JoinGroupRequest = request.body
    error = _membership_error(state, body.group_id) or _join_refusal(state, body)
    if error:
        return join_error(error, body.member_id)
    group = state.groups.get(body.group_id)
    if group is None:
        if body.member_id:
            return join_error(ErrorCode.unknown_member_id, body.member_id)
        group = _made(state, body.group_id)
    if not group.supports(body.protocol_type, [protocol.name for protocol in body.protocols]):
        return join_error(ErrorCode.inconsistent_group_protocol, body.member_id)
    if not body.member_id:
        return _give_member_id(state, now_ns, group, request)
    if body.member_id in group.pending:
        _add(state, now_ns, connection, group, request)
        return None
    member = group.members.get(body.member_id)
    if member is None or group.state == EMPTY:
        return join_error(ErrorCode.unknown_member_id, body.member_id)
    return _rejoin(state, now_ns, connection, group, member, body)


def sync(state: State, now_ns: int, connection: int, request: Request) -> SyncGroupResponse | None:
    """Serve SyncGroup; followers wait for the leader's assignment."""
    body: SyncGroupRequest = request.body
    error = _membership_error(state, body.group_id)
    if error:
        return sync_result(error)
    group = state.groups.get(body.group_id)
    member = _member(group, body.member_id)
    if group is None or member is None or group.state == EMPTY:
        return sync_result(ErrorCode.unknown_member_id)
    if body.generation_id != group.generation:
        return sync_result(ErrorCode.illegal_generation)
    if group.state == PREPARING:
        return sync_result(ErrorCode.rebalance_in_progress)
    group.unsynced.pop(member.member_id, None)
    hear(member, now_ns)
    if group.state == STABLE:
        if not group.unsynced:
            state.cancel(("sync", group.name))
        return sync_result(ErrorCode.none, member.assignment)
    member.syncing = connection
    if group.leader == member.member_id:
        complete_sync(state, now_ns, group, body)
    return None


def heartbeat(
    state: State,
    now_ns: int,
    connection: int,  # noqa: ARG001
    request: Request,
) -> HeartbeatResponse:
    """Serve Heartbeat."""
    body: HeartbeatRequest = request.body
    error = _membership_error(state, body.group_id)
    group = state.groups.get(body.group_id)
    member = _member(group, body.member_id)
    if not error:
        if group is None or member is None or group.state == EMPTY:
            error = ErrorCode.unknown_member_id
        elif body.generation_id != group.generation:
            error = ErrorCode.illegal_generation
        else:
            hear(member, now_ns)
            if group.state == PREPARING:
                error = ErrorCode.rebalance_in_progress
    return HeartbeatResponse(throttle_time=ZERO, error_code=error)


def leave(
    state: State,
    now_ns: int,
    connection: int,  # noqa: ARG001
    request: Request,
) -> LeaveGroupResponse:
    """Serve LeaveGroup."""
    body: LeaveGroupRequest = request.body
    error = _membership_error(state, body.group_id)
    group = state.groups.get(body.group_id)
    if not error:
        if group is not None and body.member_id in group.pending:
            del group.pending[body.member_id]
            state.cancel(("pending", group.name, body.member_id))
            try_complete(state, now_ns, group)
        elif group is not None and body.member_id in group.members:
            leave_rebalance(state, now_ns, group, body.member_id)
        else:
            error = ErrorCode.unknown_member_id
    return LeaveGroupResponse(throttle_time=ZERO, error_code=error)


def _join_refusal(state: State, body: JoinGroupRequest) -> ErrorCode:
    settings = state.settings
    session_ms = milliseconds(body.session_timeout)
    low, high = settings.group_min_session_timeout_ms, settings.group_max_session_timeout_ms
    if not low <= session_ms <= high:
        return ErrorCode.invalid_session_timeout
    if body.group_instance_id is not None:
        return ErrorCode.unsupported_version
    return ErrorCode.none


def _made(state: State, name: str) -> Group:
    """Make a group, which is kept from then on, whether somebody becomes its member or not."""
    group = state.groups[name] = Group(name)
    group.store()
    state.record("group", name, group.state, group.generation)
    return group


def _member(group: Group | None, member_id: str) -> Member | None:
    return None if group is None else group.members.get(member_id)


def _give_member_id(state: State, now_ns: int, group: Group, request: Request) -> JoinGroupResponse:
    member_id = f"{request.client_id}-{uuid.UUID(int=state.random.getrandbits(128), version=4)}"
    group.pending[member_id] = None
    session_ns = milliseconds(request.body.session_timeout) * MILLISECOND
    state.timer(("pending", group.name, member_id), now_ns + session_ns)
    return join_error(ErrorCode.member_id_required, member_id)


def _add(state: State, now_ns: int, connection: int, group: Group, request: Request) -> None:
    body: JoinGroupRequest = request.body
    del group.pending[body.member_id]
    state.cancel(("pending", group.name, body.member_id))
    peer = state.connections[connection].peer
    member = Member(body.member_id, request.client_id or "", f"/{peer}")
    _update(member, connection, body)
    hear(member, now_ns)
    member.heard = False
    if not group.members:
        group.leader = member.member_id
        group.protocol_type = body.protocol_type
    group.members[member.member_id] = member
    state.timer(("session", group.name, member.member_id), now_ns + member.session_ms * MILLISECOND)
    if group.state == PREPARING:
        if group.generation == 0:
            group.joined_meanwhile = True
        try_complete(state, now_ns, group)
    else:
        prepare(state, now_ns, group)


def _rejoin(
    state: State,
    now_ns: int,
    connection: int,
    group: Group,
    member: Member,
    body: JoinGroupRequest,
) -> JoinGroupResponse | None:
    same = member.protocols == tuple((p.name, p.metadata) for p in body.protocols)
    is_leader = group.leader == member.member_id
    if same and (group.state == COMPLETING or (group.state == STABLE and not is_leader)):
        # The answer to an earlier JoinGroup was lost; nothing has changed.
        hear(member, now_ns)
        return join_result(group, member)
    _update(member, connection, body)
    hear(member, now_ns)
    if group.state == PREPARING:
        try_complete(state, now_ns, group)
    else:
        prepare(state, now_ns, group)
    return None


def _update(member: Member, connection: int, body: JoinGroupRequest) -> None:
    member.joining = connection
    member.session_ms = milliseconds(body.session_timeout)
    member.rebalance_ms = milliseconds(body.rebalance_timeout)
    member.protocols = tuple((p.name, p.metadata) for p in body.protocols)
