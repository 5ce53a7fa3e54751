"""Fetch, ListOffsets, OffsetForLeaderEpoch and DeleteRecords."""

import time

from tests.conformance.kafka.requests import (
    alter,
    batch,
    delete_records,
    end_of_epoch,
    fetch,
    list_offsets,
    marker,
    produce,
    wanted,
)
from tests.conformance.kafka.talk import Talk


def _fill(talk: Talk, name: str, *sizes: int) -> None:
    for n, size in enumerate(sizes):
        values = [b"%d.%d" % (n, i) for i in range(size)]
        talk.ask(produce(name, batch(*values, at=[10 * n + 10 + i for i in range(size)])))


def from_every_offset(talk: Talk, name: str) -> None:
    talk.topic(name)
    talk.ask(fetch(name))
    talk.ask(fetch(name, wanted(offset=1)))
    _fill(talk, name, 2, 1, 3)
    for offset in (-2, -1, 0, 1, 2, 3, 5, 6, 7, 2**40):
        talk.ask(fetch(name, wanted(offset=offset)))


def isolation(talk: Talk, name: str) -> None:
    talk.topic(name)
    _fill(talk, name, 2, 2)
    for level in (0, 1):
        for offset in (0, 4, 5):
            talk.ask(fetch(name, wanted(offset=offset), isolation=level))


def isolation_among_markers(talk: Talk, name: str) -> None:
    talk.topic(name)
    for committed in (False, True, False):
        talk.ask(produce(name, batch(b"a", b"b")))
        talk.ask(marker((name, 0), committed=committed))
    for level in (0, 1):
        for offset in (0, 2, 3, 5, 8, 9, 10):
            talk.ask(fetch(name, wanted(offset=offset), isolation=level))
        talk.ask(fetch(name, wanted(offset=2, limit=1), isolation=level))
        talk.ask(list_offsets(name, -1, isolation=level))
    for at in (5, 6):
        talk.ask(list_offsets(name, at))
    talk.ask(delete_records(name, 3))
    talk.ask(fetch(name, wanted(offset=3)))


def limits_of_bytes(talk: Talk, name: str) -> None:
    talk.topic(name, 2)
    for partition in (0, 1):
        for _ in range(3):
            talk.ask(produce(name, batch(b"x" * 100), partition=partition))
    size = batch(b"x" * 100).size
    for limit in (0, 1, size - 1, size, 2 * size - 1, 2 * size, 10**6):
        talk.ask(fetch(name, wanted(0, limit=limit), wanted(1, limit=limit)))
        talk.ask(fetch(name, wanted(0), wanted(1), max_bytes=limit))
    talk.ask(fetch(name, wanted(0, offset=3), wanted(1), max_bytes=1))


def leader_epochs(talk: Talk, name: str) -> None:
    talk.topic(name)
    _fill(talk, name, 2)
    for epoch in (-1, 0, 1, 7):
        talk.ask(fetch(name, wanted(current_leader_epoch=epoch)))
        talk.ask(list_offsets(name, -1, epoch=epoch))
        talk.ask(end_of_epoch(name, 0, current=epoch))


def divergence(talk: Talk, name: str) -> None:
    talk.topic(name)
    _fill(talk, name, 2)
    for last in (0, 1, 5):
        for offset in (0, 2):
            talk.ask(fetch(name, wanted(offset=offset, last_fetched_epoch=last)))


def where_nothing_is(talk: Talk, name: str) -> None:
    talk.topic(name)
    for topic, partition in (("nowhere", 0), (name, 1), (name, -1)):
        talk.ask(fetch(topic, wanted(partition)))
        talk.ask(list_offsets(topic, partition=partition))
        talk.ask(end_of_epoch(topic, 0, partition))
        talk.ask(delete_records(topic, 0, partition))


def waiting_for_more(talk: Talk, name: str) -> None:
    talk.topic(name)
    parked = fetch(name, wait=10_000, min_bytes=1)
    talk.tell(parked, "reader")
    talk.ask(produce(name, batch(b"a")))
    talk.hear(parked, "reader")
    parked = fetch(name, wanted(offset=1), wait=10_000, min_bytes=150)
    talk.tell(parked, "reader")
    talk.ask(produce(name, batch(b"b")))
    talk.ask(produce(name, batch(b"c" * 100)))
    talk.hear(parked, "reader")
    talk.ask(fetch(name, wanted(offset=3), wait=50, min_bytes=1))
    talk.ask(fetch(name, wanted(offset=9), wait=10_000, min_bytes=1))


def offsets_by_time(talk: Talk, name: str) -> None:
    talk.topic(name)
    for special in (-1, -2, -3, -4, -5, -6, 0, 7):
        talk.ask(list_offsets(name, special))
    for times in ((10, 12), (30, 20, 25), (15,)):
        talk.ask(produce(name, batch(*[b"v"] * len(times), at=times)))
    for at in (-1, -2, -3, -4, -5, -6, -7, 0, 10, 11, 12, 13, 15, 16, 20, 26, 30, 31, 2**50):
        talk.ask(list_offsets(name, at))
    for level in (0, 1):
        talk.ask(list_offsets(name, -1, isolation=level))
        talk.ask(list_offsets(name, 11, isolation=level))


def the_largest_time_of_several(talk: Talk, name: str) -> None:
    talk.topic(name)
    for times in ((10, 40, 40), (40,), (20,)):
        talk.ask(produce(name, batch(*[b"v"] * len(times), at=times)))
        talk.ask(list_offsets(name, -3))


def offsets_by_the_brokers_time(talk: Talk, name: str) -> None:
    talk.topic(name, message_timestamp_type="LogAppendTime")
    talk.ask(produce(name, batch(b"a", b"b", at=(10, 12))))
    for at in (-3, 5, 2**50):
        talk.ask(list_offsets(name, at))


def what_retention_has_taken(talk: Talk, name: str) -> None:
    talk.topic(name)

    def send(sequence: int, at: int) -> None:
        who = {"producer_id": 987_655, "producer_epoch": 0, "base_sequence": sequence}
        talk.ask(produce(name, batch(b"v", at=at, **who)))

    for sequence in range(3):
        send(sequence, at=5)
    parked = fetch(name, wanted(offset=3), wait=20_000, min_bytes=1)
    talk.tell(parked, "reader")
    talk.ask(alter(name, ("retention.ms", 0, "3600000")))
    talk.settle(lambda quietly: quietly(list_offsets(name, -2)).topics[0].partitions[0].offset == 3)
    for at in (-1, -2, -3, 0, 5):
        talk.ask(list_offsets(name, at))
    for offset in (0, 2, 3, 4):
        talk.ask(fetch(name, wanted(offset=offset)))
    now = time.time_ns() // 10**6
    for sequence in (2, 1, 4, 3):  # the batches are gone, what is known of the producer is not
        send(sequence, now)
    talk.hear(parked, "reader")
    talk.ask(fetch(name, wanted(offset=2)))
    talk.ask(end_of_epoch(name, 0))
    talk.ask(delete_records(name, 2))


def ends_of_epochs(talk: Talk, name: str) -> None:
    talk.topic(name)
    for epoch in (-1, 0, 1):
        talk.ask(end_of_epoch(name, epoch))
    _fill(talk, name, 3)
    for epoch in (-2, -1, 0, 1, 9):
        talk.ask(end_of_epoch(name, epoch))


def deleting_records(talk: Talk, name: str) -> None:
    talk.topic(name)
    talk.ask(delete_records(name, 0))
    talk.ask(delete_records(name, -1))
    _fill(talk, name, 2, 3, 1)
    for offset in (0, 1, 3, 2, 7, -2):
        talk.ask(delete_records(name, offset))
        talk.ask(list_offsets(name, -2))
        talk.ask(list_offsets(name, 0))
    for offset in (0, 2, 3, 4):
        talk.ask(fetch(name, wanted(offset=offset)))
    talk.ask(end_of_epoch(name, 0))
    talk.ask(delete_records(name, -1))
    for at in (-1, -2, -3, 0):
        talk.ask(list_offsets(name, at))
    talk.ask(end_of_epoch(name, 0))
    talk.ask(produce(name, batch(b"after")))
    talk.ask(fetch(name, wanted(offset=6)))
    talk.ask(list_offsets(name, -2))
