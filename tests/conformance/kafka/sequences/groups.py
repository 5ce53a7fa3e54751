"""Groups: joining, syncing, heartbeats, leaving, and what administrators see of it."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.kafka.group_requests import (
    delete_group,
    describe_group,
    heartbeat,
    join,
    leave,
    list_groups,
    sync,
)
from tests.conformance.kafka.requests import coordinator
from tests.conformance.kafka.talk import Talk

STRANGER = "nobody-00000000-0000-0000-0000-000000000000"


def _id(talk: Talk, group: str, client: str, **how: Any) -> str:
    found: str = talk.ask(join(group, **how), client).member_id
    return found


def _alone(talk: Talk, group: str, **how: Any) -> tuple[str, int]:
    """Join and sync as the only member; return its id and the generation."""
    member = _id(talk, group, "one", **how)
    found = talk.ask(join(group, member, **how), "one")
    talk.ask(sync(group, member, found.generation_id, {member: b"all"}), "one")
    return member, found.generation_id


def a_member_alone(talk: Talk, name: str) -> None:
    talk.ask(coordinator(name))
    talk.ask(describe_group(name))
    member, generation = _alone(talk, name)
    talk.ask(heartbeat(name, member, generation), "one")
    talk.ask(describe_group(name))
    for wrong in (generation - 1, generation + 1, -1):
        talk.ask(heartbeat(name, member, wrong), "one")
        talk.ask(sync(name, member, wrong), "one")
    talk.ask(sync(name, member, generation), "one")
    talk.ask(join(name, member), "one")  # the leader again: another generation
    talk.ask(describe_group(name))
    talk.ask(heartbeat(name, member, generation + 1), "one")
    talk.ask(leave(name, member), "one")
    talk.ask(leave(name, member), "one")
    talk.ask(describe_group(name))


def strangers(talk: Talk, name: str) -> None:
    for group in (name, f"{name}-never", ""):
        talk.ask(join(group, STRANGER))
        talk.ask(sync(group, STRANGER, 1))
        talk.ask(heartbeat(group, STRANGER, 1))
        talk.ask(leave(group, STRANGER))
        talk.ask(describe_group(group))
        talk.ask(coordinator(group))
        if group == name:
            _alone(talk, name)
            talk.ask(join(group, STRANGER))
            talk.ask(sync(group, STRANGER, 1))
            talk.ask(heartbeat(group, STRANGER, 1))
            talk.ask(leave(group, STRANGER))
            talk.ask(heartbeat(group, "", 1))
            talk.ask(sync(group, "", 1))
            talk.ask(leave(group, ""))


def joins_that_are_refused(talk: Talk, name: str) -> None:
    talk.ask(join(name, session=100))
    talk.ask(join(name, session=3_600_000))
    talk.ask(join(name, protocols={}))
    talk.ask(join(name, kind=""))
    _alone(talk, name)
    talk.ask(join(name, kind="connect"), "two")
    talk.ask(join(name, protocols={"roundrobin": b""}), "two")
    talk.ask(join(name, protocols={}), "two")
    talk.ask(join("g" * 300, session=6000), "two")


def ids_that_were_never_used(talk: Talk, name: str) -> None:
    member = _id(talk, name, "one")
    talk.ask(describe_group(name))
    talk.ask(heartbeat(name, member, 0), "one")
    talk.ask(sync(name, member, 0), "one")
    talk.ask(leave(name, member), "one")
    talk.ask(join(name, member), "one")
    talk.ask(describe_group(name))


Two = tuple[str, str, int]


def _two(talk: Talk, group: str, how: Mapping[str, bytes] | None = None) -> Two:
    """Have two members of one generation; return their ids and the generation."""
    one, _ = _alone(talk, group, protocols=how)
    two = _id(talk, group, "two", protocols=how)
    waiting = join(group, two, how)
    talk.tell(waiting, "two")
    _until_rebalancing(talk, group, one, 1)
    generation = talk.ask(join(group, one, how), "one").generation_id
    talk.hear(waiting, "two")
    waits = sync(group, two, generation)
    talk.tell(waits, "two")
    talk.ask(sync(group, one, generation, {one: b"left", two: b"right"}), "one")
    talk.hear(waits, "two")
    return one, two, generation


def _until_rebalancing(talk: Talk, group: str, member: str, generation: int) -> None:
    """Wait until a JoinGroup that another client has sent has come; note only the last answer."""
    while not talk.ask(heartbeat(group, member, generation), "one").error_code:
        talk.notes.pop()


def two_members(talk: Talk, name: str) -> None:
    one, two, generation = _two(talk, name)
    talk.ask(heartbeat(name, one, generation), "one")
    talk.ask(heartbeat(name, two, generation), "two")
    talk.ask(describe_group(name))
    talk.ask(join(name, two), "two")  # a follower that asks again with the same
    talk.ask(heartbeat(name, one, generation), "one")
    talk.ask(sync(name, two, generation), "two")
    talk.ask(leave(name, one), "one")
    talk.ask(heartbeat(name, two, generation), "two")
    talk.ask(sync(name, two, generation), "two")
    talk.ask(describe_group(name))
    talk.ask(join(name, two), "two")
    talk.ask(heartbeat(name, two, generation + 1), "two")
    talk.ask(describe_group(name))
    talk.ask(sync(name, two, generation + 1, {two: b"everything"}), "two")
    talk.ask(describe_group(name))
    talk.ask(leave(name, two), "two")


def a_follower_with_another_subscription(talk: Talk, name: str) -> None:
    one, two, generation = _two(talk, name)
    waiting = join(name, two, {"range": b"other"})
    talk.tell(waiting, "two")
    _until_rebalancing(talk, name, one, generation)
    talk.ask(describe_group(name))
    talk.ask(sync(name, one, generation), "one")
    talk.ask(join(name, one), "one")
    talk.hear(waiting, "two")


def a_leader_that_does_not_come_back(talk: Talk, name: str) -> None:
    one, _ = _alone(talk, name, rebalance=700)
    two = _id(talk, name, "two", rebalance=700)
    talk.ask(join(name, two, rebalance=700), "two")  # takes as long as the rebalance may
    talk.ask(heartbeat(name, one, 1), "one")
    talk.ask(heartbeat(name, one, 2), "one")
    talk.ask(sync(name, two, 2, {two: b"all"}), "two")
    talk.ask(describe_group(name))


def a_member_that_leaves_while_it_syncs(talk: Talk, name: str) -> None:
    one, _ = _alone(talk, name)
    two = _id(talk, name, "two")
    waiting = join(name, two)
    talk.tell(waiting, "two")
    _until_rebalancing(talk, name, one, 1)
    generation = talk.ask(join(name, one), "one").generation_id
    talk.hear(waiting, "two")
    talk.tell(sync(name, two, generation), "two")
    talk.ask(leave(name, two), "another")
    talk.ask(heartbeat(name, one, generation), "one")
    talk.ask(describe_group(name))
    talk.ask(join(name, one), "one")
    talk.ask(sync(name, one, generation + 1, {one: b"all"}), "one")
    assert not talk.answered("two")  # nor ever


def a_connection_that_ends_while_it_joins(talk: Talk, name: str) -> None:
    one, _ = _alone(talk, name)
    two = _id(talk, name, "two")
    talk.tell(join(name, two), "two")
    _until_rebalancing(talk, name, one, 1)
    talk.hang_up("two")
    talk.ask(describe_group(name))
    talk.ask(heartbeat(name, two, 1), "two")
    generation = talk.ask(join(name, one), "one").generation_id
    talk.ask(describe_group(name))
    talk.ask(join(name, two), "two")  # as one whose answer was lost
    waits = sync(name, two, generation)
    talk.tell(waits, "two")
    talk.ask(heartbeat(name, one, generation), "one")
    talk.hang_up("two")
    talk.ask(sync(name, one, generation, {one: b"left", two: b"right"}), "one")
    talk.ask(waits, "two")
    talk.hang_up("one")
    talk.ask(heartbeat(name, one, generation), "one")
    talk.ask(leave(name, two), "two")
    talk.ask(heartbeat(name, one, generation), "one")


def a_session_that_ends(talk: Talk, name: str) -> None:
    member, generation = _alone(talk, name, session=500)
    talk.settle(lambda quietly: not quietly(describe_group(name)).groups[0].members)
    talk.ask(heartbeat(name, member, generation), "one")
    talk.ask(describe_group(name))


def a_vote_for_the_protocol(talk: Talk, name: str) -> None:
    both = {"range": b"r", "roundrobin": b"o"}
    one, two, _ = _two(talk, name, both)
    talk.ask(describe_group(name))
    waiting = join(name, two, {"roundrobin": b"o", "range": b"r"})
    talk.tell(waiting, "two")
    _until_rebalancing(talk, name, one, 2)
    talk.ask(join(name, one, {"roundrobin": b"o"}), "one")
    talk.hear(waiting, "two")


def assignments_for_strangers(talk: Talk, name: str) -> None:
    member = _id(talk, name, "one")
    found = talk.ask(join(name, member), "one")
    given = {STRANGER: b"x"}
    talk.ask(sync(name, member, found.generation_id, given), "one")
    talk.ask(describe_group(name))


def deleting_groups(talk: Talk, name: str) -> None:
    talk.ask(delete_group(name))
    talk.ask(delete_group(""))
    member, _ = _alone(talk, name)
    talk.ask(delete_group(name, f"{name}-never"))
    talk.ask(leave(name, member), "one")
    talk.ask(describe_group(name))
    talk.ask(delete_group(name))
    talk.ask(describe_group(name))
    talk.ask(delete_group(name))


def states_of_groups(talk: Talk, name: str) -> None:
    member, _ = _alone(talk, name)
    for states in (("Empty",), ("PreparingRebalance",), ("Nonsense",)):
        found = talk.ask(list_groups(*states))
        talk.notes.pop()  # of other talks, too
        assert name not in [group.group_id for group in found.groups]
    (mine,) = [g for g in talk.ask(list_groups("Stable")).groups if g.group_id == name]
    assert (mine.protocol_type, mine.group_state) == ("consumer", "Stable")
    talk.notes.pop()
    talk.ask(leave(name, member), "one")


def static_members(talk: Talk, name: str) -> None:
    talk.ask(join(name, instance="i"))
