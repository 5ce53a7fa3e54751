"""A broker that is killed and started again: what it still knows, and whom it fences."""

import time

from tests.conformance.kafka.group_requests import (
    commit,
    committed,
    describe_group,
    heartbeat,
    join,
    leave,
    sync,
)
from tests.conformance.kafka.requests import (
    alter,
    batch,
    delete,
    delete_records,
    describe,
    end_of_epoch,
    fetch,
    list_offsets,
    metadata,
    produce,
    producer_id,
    wanted,
)
from tests.conformance.kafka.talk import Talk

SET = 0


def producers_and_their_sequences(talk: Talk, name: str) -> None:
    _sequences(talk, name, time.time_ns() // 10**6)


def producers_of_long_ago(talk: Talk, name: str) -> None:
    _sequences(talk, name, 5)  # by the times of their batches they are idle for more than a day


def _sequences(talk: Talk, name: str, at: int) -> None:
    talk.topic(name)
    given = talk.ask(producer_id())

    def send(sequence: int, count: int = 1, epoch: int = 0) -> None:
        who = {"producer_id": given.producer_id, "producer_epoch": epoch}
        talk.ask(produce(name, batch(*[b"v"] * count, at=at, base_sequence=sequence, **who)))

    for sequence in range(8):
        send(sequence)
    talk.restart(name)
    send(7)  # its answer was lost, perhaps
    send(3)
    send(2)  # no longer among the last five
    send(9)  # a hole
    send(8, count=2)
    send(0, epoch=1)
    talk.restart(name)
    send(10)  # of the epoch before
    send(0, epoch=1)
    send(1, epoch=1)
    talk.ask(fetch(name))


def leaders_and_their_epochs(talk: Talk, name: str) -> None:
    talk.topic(name)
    talk.ask(produce(name, batch(b"a", b"b", at=(10, 11))))
    talk.restart(name)
    _epochs(talk, name, 2)
    talk.ask(produce(name, batch(b"c", at=20)))
    _epochs(talk, name, 3)
    talk.restart(name)
    talk.restart(name)
    talk.ask(produce(name, batch(b"d", at=30)))
    _epochs(talk, name, 4)
    talk.ask(fetch(name))
    talk.ask(metadata(name))


def _epochs(talk: Talk, name: str, end: int) -> None:
    for epoch in range(-1, 8):
        talk.ask(end_of_epoch(name, epoch))
        talk.ask(list_offsets(name, -1, epoch=epoch))
        talk.ask(fetch(name, wanted(offset=end, current_leader_epoch=epoch)))
        talk.ask(fetch(name, wanted(offset=end, last_fetched_epoch=epoch)))
    for at in (-1, -2, -3, 11, 12, 25):
        talk.ask(list_offsets(name, at))


def a_group_and_its_offsets(talk: Talk, name: str) -> None:
    talk.topic(name)
    for value in (b"a", b"b", b"c"):
        talk.ask(produce(name, batch(value)))
    member = talk.ask(join(name)).member_id
    talk.ask(join(name, member))
    talk.ask(sync(name, member, 1, {member: b"all"}))
    talk.ask(commit(name, name, 2, member=member, generation=1, metadata="why"))
    talk.restart(name)
    talk.ask(describe_group(name))
    talk.ask(committed(name, None))
    talk.ask(heartbeat(name, member, 1))
    talk.ask(commit(name, name, 3, member=member, generation=1))
    for wrong in (0, 2):
        talk.ask(commit(name, name, 1, member=member, generation=wrong))
        talk.ask(heartbeat(name, member, wrong))
    talk.ask(sync(name, member, 1))
    talk.ask(join(name, member))
    talk.restart(name)  # before the leader has synced
    talk.ask(describe_group(name))
    for generation in (1, 2):
        talk.ask(heartbeat(name, member, generation))
        talk.ask(commit(name, name, generation, member=member, generation=generation))
    talk.ask(sync(name, member, 2, {member: b"all"}))
    talk.ask(committed(name, name))
    talk.ask(leave(name, member))
    talk.restart(name)
    talk.ask(describe_group(name))
    talk.ask(committed(name, name))
    talk.ask(commit(name, name, 1))
    talk.ask(committed(name, name))


def members_that_never_got_so_far(talk: Talk, name: str) -> None:
    talk.topic(name)
    unused = talk.ask(join(name)).member_id
    talk.ask(commit(f"{name}-other", name, 1))  # what the coordinator had to write is written now
    talk.restart(name)
    talk.ask(describe_group(name))
    talk.ask(join(name, unused))
    talk.ask(heartbeat(name, unused, 0))
    talk.ask(commit(name, name, 1))
    talk.ask(committed(name, name))


def a_rebalance_under_way(talk: Talk, name: str) -> None:
    talk.topic(name)
    one = talk.ask(join(name), "one").member_id
    talk.ask(join(name, one), "one")
    talk.ask(sync(name, one, 1, {one: b"all"}), "one")
    two = talk.ask(join(name), "two").member_id
    talk.tell(join(name, two), "two")
    while not talk.ask(heartbeat(name, one, 1), "one").error_code:
        talk.notes.pop()
    talk.restart(name)
    talk.ask(describe_group(name))
    talk.ask(heartbeat(name, one, 1), "one")
    talk.ask(commit(name, name, 5, member=one, generation=1), "one")
    talk.ask(heartbeat(name, two, 1), "two")
    talk.ask(commit(name, name, 6, member=two, generation=1), "two")
    talk.ask(join(name, two), "two")
    talk.ask(committed(name, name))


def records_that_were_deleted(talk: Talk, name: str) -> None:
    talk.topic(name)
    for size in (2, 3, 1):
        talk.ask(produce(name, batch(*[b"v"] * size)))
    talk.ask(delete_records(name, 3))
    talk.ask(fetch(name))
    talk.restart(name)
    for offset in (0, 2, 3, 6):
        talk.ask(fetch(name, wanted(offset=offset)))


def topics_and_their_configurations(talk: Talk, name: str) -> None:
    talk.topic(name, 2, retention_ms="1000000000000")
    talk.topic(f"{name}-gone")
    talk.ask(produce(f"{name}-gone", batch(b"a")))
    talk.ask(delete(f"{name}-gone"))
    talk.ask(alter(name, ("min.insync.replicas", SET, "1"), ("segment.ms", SET, "77777")))
    _again(talk, name)
    talk.restart(name, 2)
    _again(talk, name)
    talk.ask(describe(name, "segment.ms", "retention.ms", "min.insync.replicas"))
    talk.ask(produce(f"{name}-gone", batch(b"a")))


def _again(talk: Talk, name: str) -> None:
    """Make and delete a topic twice, with something in it."""
    other = f"{name}-again"
    for _ in range(2):
        talk.topic(other)
        talk.ask(fetch(other))
        talk.ask(produce(other, batch(b"a")))
        talk.ask(commit(name, other, 1))
        talk.ask(committed(name, other))
        talk.ask(delete(other))
        talk.settled(other, 0)
