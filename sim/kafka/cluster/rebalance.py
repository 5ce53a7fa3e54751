"""The course of a rebalance: prepare, wait for joins, hand out a generation, wait for syncs.

See `sim.kafka.cluster.membership` for what is faithful and what is simplified.
"""

from sim.kafka.cluster.group import COMPLETING, EMPTY, PREPARING, STABLE, Group, Member
from sim.kafka.cluster.state import MILLISECOND, State
from sim.kafka.entities import (
    ErrorCode,
    JoinGroupResponse,
    JoinGroupResponseMember,
    SyncGroupRequest,
    SyncGroupResponse,
)
from sim.kafka.protocol import ZERO

_NEW_MEMBER_NS = 300_000 * MILLISECOND  # GroupCoordinator.NewMemberJoinTimeoutMs


def hear(member: Member, now_ns: int) -> None:
    """Note a sign of life; the member's session timer looks at it when it fires."""
    member.heard = True
    member.heard_at = now_ns


def prepare(state: State, now_ns: int, group: Group) -> None:
    """Begin a rebalance and wait for joins."""
    if group.state == COMPLETING:
        _fail_syncs(state, group)
    first = group.state == EMPTY
    group.state = PREPARING
    group.unsynced.clear()
    state.cancel(("sync", group.name))
    state.record("group", group.name, group.state, group.generation)
    delay_ms = group.rebalance_ms
    if first:
        initial = state.settings.group_initial_rebalance_delay_ms
        group.delay_left = max(delay_ms - initial, 0)
        delay_ms = initial
    if delay_ms > 0:
        state.timer(("join", group.name), now_ns + delay_ms * MILLISECOND)
        try_complete(state, now_ns, group)
    else:
        _complete(state, now_ns, group)


def try_complete(state: State, now_ns: int, group: Group) -> None:
    """Complete the rebalance if everybody known has joined; an initial delay runs its time."""
    if group.state != PREPARING or group.delay_left is not None or group.pending:
        return
    if all(member.joining is not None for member in group.members.values()):
        _complete(state, now_ns, group)


def join_timeout(state: State, now_ns: int, name: str) -> None:
    """End the wait for joins, unless it is an initial one and somebody has just come."""
    group = state.groups.get(name)
    if group is None or group.state != PREPARING:
        return
    if group.delay_left and group.joined_meanwhile:
        group.joined_meanwhile = False
        delay = min(state.settings.group_initial_rebalance_delay_ms, group.delay_left)
        group.delay_left -= delay
        state.timer(("join", name), now_ns + delay * MILLISECOND)
        return
    _complete(state, now_ns, group)


def pending_timeout(state: State, now_ns: int, name: str, member_id: str) -> None:
    """Somebody asked for a member id and never joined with it."""
    group = state.groups.get(name)
    if group is not None and member_id in group.pending:
        del group.pending[member_id]
        try_complete(state, now_ns, group)


def sync_timeout(state: State, now_ns: int, name: str) -> None:
    """Members that joined have not synced in time: they go and the others rebalance."""
    group = state.groups.get(name)
    if group is None or group.state not in (COMPLETING, STABLE) or not group.unsynced:
        return
    for member_id in list(group.unsynced):
        _drop(state, group, member_id)
    prepare(state, now_ns, group)


def session_timeout(state: State, now_ns: int, name: str, member_id: str) -> None:
    """Look whether a member has been heard of since the last time."""
    group = state.groups.get(name)
    member = group.members.get(member_id) if group is not None else None
    if group is None or member is None:
        return
    session_ns = member.session_ms * MILLISECOND
    waits = member.joining is not None or member.syncing is not None
    if waits and not (member.is_new and now_ns - member.heard_at >= _NEW_MEMBER_NS):
        rest = session_ns
    elif member.heard:
        member.heard = False
        rest = member.heard_at + session_ns - now_ns
        if not 0 < rest <= session_ns:  # the clock was set meanwhile
            rest = session_ns
    else:
        leave_rebalance(state, now_ns, group, member_id)
        return
    state.timer(("session", name, member_id), now_ns + rest)


def leave_rebalance(state: State, now_ns: int, group: Group, member_id: str) -> None:
    """Take a member out and let the others rebalance."""
    _drop(state, group, member_id)
    if group.state in (STABLE, COMPLETING):
        prepare(state, now_ns, group)
    else:
        try_complete(state, now_ns, group)


def complete_sync(state: State, now_ns: int, group: Group, body: SyncGroupRequest) -> None:
    """Take the leader's assignment, store it and answer everybody who waits."""
    given = {item.member_id: item.assignment for item in body.assignments}
    for member in group.members.values():
        member.assignment = given.get(member.member_id, b"")
    group.state = STABLE
    group.store()
    state.record("group", group.name, group.state, group.generation, repr(group.stored))
    for member in group.members.values():
        if member.syncing is not None:
            state.answer(member.syncing, sync_result(ErrorCode.none, member.assignment))
            member.syncing = None
            hear(member, now_ns)
    if not group.unsynced:
        state.cancel(("sync", group.name))


def join_result(group: Group, member: Member) -> JoinGroupResponse:
    """Return the generation as `member` is told of it; the leader hears of all members."""
    members: tuple[JoinGroupResponseMember, ...] = ()
    if member.member_id == group.leader:
        members = tuple(
            JoinGroupResponseMember(
                member_id=other.member_id,
                group_instance_id=None,
                metadata=other.metadata(group.protocol),
            )
            for other in group.members.values()
        )
    return JoinGroupResponse(
        throttle_time=ZERO,
        error_code=ErrorCode.none,
        generation_id=group.generation,
        protocol_name=group.protocol,
        leader=group.leader,
        member_id=member.member_id,
        members=members,
    )


def join_error(error: ErrorCode, member_id: str) -> JoinGroupResponse:
    """Return a refusal."""
    return JoinGroupResponse(
        throttle_time=ZERO,
        error_code=error,
        generation_id=-1,
        protocol_name="",
        leader="",
        member_id=member_id,
        members=(),
    )


def sync_result(error: ErrorCode, assignment: bytes = b"") -> SyncGroupResponse:
    """Return an assignment or a refusal."""
    return SyncGroupResponse(throttle_time=ZERO, error_code=error, assignment=assignment)


def _complete(state: State, now_ns: int, group: Group) -> None:
    state.cancel(("join", group.name))
    group.delay_left, group.joined_meanwhile = None, False
    for member in list(group.members.values()):
        if member.joining is None:
            _drop(state, group, member.member_id)
    group.generation += 1
    if not group.members:
        group.state, group.protocol, group.leader = EMPTY, "", ""
        group.empty_since_ms = now_ns // MILLISECOND
        group.store()
        state.record("group", group.name, group.state, group.generation)
        return
    group.state = COMPLETING
    group.protocol = group.choose_protocol()
    group.unsynced = dict.fromkeys(group.members)
    state.record("group", group.name, group.state, group.generation, *group.members)
    for member in group.members.values():
        assert member.joining is not None
        state.answer(member.joining, join_result(group, member))
        member.joining, member.is_new = None, False
        hear(member, now_ns)
    state.timer(("sync", group.name), now_ns + group.rebalance_ms * MILLISECOND)


def _drop(state: State, group: Group, member_id: str) -> None:
    # A SyncGroup that waits is never answered: Kafka forgets it with the member, too.
    member = group.drop(member_id)
    state.cancel(("session", group.name, member_id))
    if member.joining is not None:
        state.answer(member.joining, join_error(ErrorCode.unknown_member_id, ""))
    state.record("group", group.name, "removed", group.generation, member_id)


def _fail_syncs(state: State, group: Group) -> None:
    for member in group.members.values():
        member.assignment = b""
        if member.syncing is not None:
            state.answer(member.syncing, sync_result(ErrorCode.rebalance_in_progress))
            member.syncing = None
