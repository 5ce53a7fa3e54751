"""Committed offsets: who may commit, what is kept, what is told."""

from tests.conformance.kafka.group_requests import (
    commit,
    committed,
    delete_group,
    describe_group,
    heartbeat,
    join,
    leave,
    sync,
)
from tests.conformance.kafka.requests import batch, delete, fetch, list_offsets, produce, wanted
from tests.conformance.kafka.talk import Talk


def by_nobody_in_particular(talk: Talk, name: str) -> None:
    talk.topic(name, 2)
    talk.ask(committed(name, name, 0, 1, 7))
    talk.ask(committed(name, None))
    for offset in (5, 0, 99, -1, -5, 2**40):
        talk.ask(commit(name, name, offset))
        talk.ask(committed(name, name))
    talk.ask(commit(name, name, 3, partition=1, metadata="why", epoch=4))
    talk.ask(committed(name, None))
    talk.ask(describe_group(name))


def what_does_not_exist(talk: Talk, name: str) -> None:
    talk.topic(name)
    talk.ask(commit(name, name, 1, partition=1))
    talk.ask(commit(name, "nowhere", 1))
    talk.ask(commit("", name, 1))
    talk.ask(committed("", name))
    talk.ask(committed(name, "nowhere"))
    talk.ask(committed(name, None))
    talk.ask(describe_group(name))


def metadata_too_large(talk: Talk, name: str) -> None:
    talk.topic(name)
    for size in (4095, 4096, 4097, 0):
        talk.ask(commit(name, name, size, metadata="x" * size))
        talk.ask(committed(name, name))
    talk.ask(commit(name, name, 1, metadata="\u00e9" * 2500))
    talk.ask(commit(name, name, 1, metadata=None))
    talk.ask(committed(name, name))


def by_members(talk: Talk, name: str) -> None:
    talk.topic(name)
    talk.ask(commit(name, name, 1, member="x", generation=0))
    talk.ask(commit(name, name, 1, member="x", generation=-1))
    talk.ask(commit(name, name, 1, generation=3))
    member = talk.ask(join(name)).member_id
    talk.ask(commit(name, name, 2, member=member, generation=0))
    generation = talk.ask(join(name, member)).generation_id
    talk.ask(commit(name, name, 3, member=member, generation=generation))  # not synced yet
    talk.ask(commit(name, name, 3))
    talk.ask(sync(name, member, generation, {member: b"a"}))
    talk.ask(commit(name, name, 4, member=member, generation=generation))
    for wrong in (generation - 1, generation + 1, -1):
        talk.ask(commit(name, name, 5, member=member, generation=wrong))
    talk.ask(commit(name, name, 6, member="x", generation=generation))
    talk.ask(commit(name, name, 7))
    talk.ask(committed(name, name))
    talk.ask(leave(name, member))
    talk.ask(commit(name, name, 8, member=member, generation=generation))
    talk.ask(commit(name, name, 9, member=member))
    talk.ask(commit(name, name, 10))
    talk.ask(committed(name, name))


def during_a_rebalance(talk: Talk, name: str) -> None:
    talk.topic(name)
    one = talk.ask(join(name), "one").member_id
    talk.ask(join(name, one), "one")
    talk.ask(sync(name, one, 1, {one: b"a"}), "one")
    two = talk.ask(join(name), "two").member_id
    waiting = join(name, two)
    talk.tell(waiting, "two")
    while not talk.ask(heartbeat(name, one, 1), "one").error_code:
        talk.notes.pop()
    talk.ask(commit(name, name, 11, member=one, generation=1), "one")
    talk.ask(commit(name, name, 12, member=two, generation=1))
    talk.ask(join(name, one), "one")
    talk.hear(waiting, "two")
    talk.ask(commit(name, name, 13, member=one, generation=1), "one")
    talk.ask(commit(name, name, 13, member=one, generation=2), "one")
    talk.ask(committed(name, name))


def after_a_session_has_ended(talk: Talk, name: str) -> None:
    talk.topic(name)
    member = talk.ask(join(name, session=500)).member_id
    generation = talk.ask(join(name, member, session=500)).generation_id
    talk.ask(sync(name, member, generation, {member: b"all"}))
    talk.ask(commit(name, name, 4, member=member, generation=generation))
    talk.settle(lambda quietly: not quietly(describe_group(name)).groups[0].members)
    talk.ask(commit(name, name, 5, member=member, generation=generation))
    talk.ask(commit(name, name, 6, member=member))
    talk.ask(join(name, member, session=500))
    talk.ask(committed(name, name))
    talk.ask(commit(name, name, 7))  # of nobody: an empty group has nobody to protect
    talk.ask(committed(name, name))


def by_one_who_was_thought_dead(talk: Talk, name: str) -> None:
    talk.topic(name)
    one = talk.ask(join(name, session=500), "one").member_id
    talk.ask(join(name, one, session=500), "one")
    talk.ask(sync(name, one, 1, {one: b"all"}), "one")
    talk.ask(commit(name, name, 4, member=one, generation=1), "one")
    talk.settle(lambda quietly: not quietly(describe_group(name)).groups[0].members)
    two = talk.ask(join(name), "two").member_id
    generation = talk.ask(join(name, two), "two").generation_id
    talk.ask(sync(name, two, generation, {two: b"all"}), "two")
    talk.ask(commit(name, name, 8, member=two, generation=generation), "two")
    for wrong in (1, generation, -1):
        talk.ask(commit(name, name, 5, member=one, generation=wrong), "one")
        talk.ask(heartbeat(name, one, wrong), "one")
    talk.ask(sync(name, one, 1), "one")
    talk.ask(leave(name, one), "one")
    talk.ask(join(name, one, session=500), "one")
    talk.ask(heartbeat(name, two, generation), "two")
    talk.ask(committed(name, name))


def of_a_topic_that_is_made_again(talk: Talk, name: str) -> None:
    talk.topic(name)
    for sequence in range(3):
        sent = batch(b"a", producer_id=987_654, producer_epoch=0, base_sequence=sequence)
        talk.ask(produce(name, sent))
    talk.ask(commit(name, name, 2))
    talk.ask(delete(name))
    talk.settled(name, 0)
    talk.settle(
        lambda quietly: quietly(committed(name, name)).topics[0].partitions[0].committed_offset < 0
    )
    talk.topic(name)
    talk.ask(committed(name, name))
    for offset in (0, 2, 3):  # as a reader would go on that has heard nothing of it
        talk.ask(fetch(name, wanted(offset=offset)))
    for sequence in (3, 2, 4):  # as a writer would
        sent = batch(b"b", producer_id=987_654, producer_epoch=0, base_sequence=sequence)
        talk.ask(produce(name, sent))
    talk.ask(commit(name, name, 5))
    talk.ask(committed(name, name))
    talk.ask(fetch(name, wanted(offset=1)))
    talk.ask(list_offsets(name, -1))


def of_topics_and_groups_that_go(talk: Talk, name: str) -> None:
    talk.topic(name)
    talk.topic(f"{name}-kept")
    for topic in (name, f"{name}-kept"):
        talk.ask(commit(name, topic, 7))
    talk.ask(delete(name))
    talk.settled(name, 0)
    talk.settle(  # the coordinator hears of it later
        lambda quietly: quietly(committed(name, name)).topics[0].partitions[0].committed_offset < 0
    )
    talk.ask(committed(name, name))
    talk.ask(committed(name, None))
    talk.ask(delete_group(name))
    talk.ask(committed(name, f"{name}-kept"))
    talk.ask(delete_group(name))
