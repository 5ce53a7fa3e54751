"""Produce: acks, duplicates, sequences, epochs, times, sizes."""

import time

from sim.kafka.batch import CONTROL, LOG_APPEND_TIME, TRANSACTIONAL
from tests.conformance.kafka.requests import (
    alter,
    batch,
    fetch,
    list_offsets,
    marker,
    metadata,
    produce,
    produce_bytes,
    producer_id,
    wanted,
)
from tests.conformance.kafka.talk import Talk

UNKNOWN_PRODUCER = 987_654


def every_acks_there_is(talk: Talk, name: str) -> None:
    talk.topic(name)
    for acks in (-1, 1, 2, -2, 100):
        talk.ask(produce(name, batch(b"a"), acks=acks))
    talk.tell(produce(name, batch(b"silent"), acks=0))
    talk.ask(fetch(name))


def without_acks_an_error_hangs_up(talk: Talk, name: str) -> None:
    refused = produce(name, batch(b"a"), acks=0)
    talk.tell(refused)
    talk.hear(refused)
    talk.ask(metadata(name))


def where_nothing_is(talk: Talk, name: str) -> None:
    talk.topic(name, 2)
    talk.ask(produce("nowhere", batch(b"a")))
    for partition in (2, -1, 1):
        talk.ask(produce(name, batch(b"a"), partition=partition))


def offsets_of_batches(talk: Talk, name: str) -> None:
    talk.topic(name)
    for count in (1, 3, 2):
        talk.ask(produce(name, batch(*[b"v"] * count)))
    talk.ask(produce(name, batch(b"a"), batch(b"b")))
    talk.ask(produce_bytes(name, b""))
    talk.ask(fetch(name))


def bytes_that_are_no_batch(talk: Talk, name: str) -> None:
    talk.topic(name)
    sound = batch(b"a", b"b").encode()
    for at in (16, 17, 21, 22, 40, 57, 60, 61, len(sound) - 1):
        broken = bytearray(sound)
        broken[at] ^= 0xFF
        talk.ask(produce_bytes(name, bytes(broken)))
    for size in (1, 11, 12, 17, 60, 61, len(sound) - 1):
        talk.ask(produce_bytes(name, sound[:size]))
    talk.ask(produce_bytes(name, sound + b"\0"))
    talk.ask(fetch(name))


def attributes_that_brokers_refuse(talk: Talk, name: str) -> None:
    talk.topic(name)
    for attributes in (LOG_APPEND_TIME, CONTROL, TRANSACTIONAL, CONTROL | TRANSACTIONAL, 5, 7):
        marked = batch(b"a")
        marked.attributes = attributes
        talk.ask(produce(name, marked))
    marked = batch(b"a", producer_id=UNKNOWN_PRODUCER, producer_epoch=0, base_sequence=0)
    marked.attributes = TRANSACTIONAL
    talk.ask(produce(name, marked))
    talk.ask(fetch(name))


def an_idempotent_producer(talk: Talk, name: str) -> None:
    talk.topic(name)
    given = talk.ask(producer_id())

    def send(sequence: int, count: int = 1, epoch: int = 0) -> None:
        values = [b"%d" % sequence] * count
        talk.ask(
            produce(
                name,
                batch(
                    *values,
                    producer_id=given.producer_id,
                    producer_epoch=epoch,
                    base_sequence=sequence,
                ),
            )
        )

    for sequence in (0, 0, 1, 1, 0):
        send(sequence)
    send(3)  # a hole
    send(2, count=3)
    send(2, count=2)  # another batch with the same start
    send(3, count=2)
    for sequence in range(5, 11):
        send(sequence)
    send(0)  # older than what is kept
    send(1)
    send(10)
    send(6)
    send(0, epoch=1)
    send(11, epoch=0)
    send(1, epoch=1)
    send(5, epoch=2)
    send(0, epoch=2)
    send(1, epoch=-1)
    talk.ask(fetch(name))


def an_unknown_producer_may_start_anywhere(talk: Talk, name: str) -> None:
    talk.topic(name)
    for sequence, epoch in ((7, 3), (8, 3), (7, 3), (0, 2), (5, 4), (0, 4)):
        sent = batch(
            b"a", producer_id=UNKNOWN_PRODUCER + 1, producer_epoch=epoch, base_sequence=sequence
        )
        talk.ask(produce(name, sent))
    no_sequence = batch(b"a", producer_id=UNKNOWN_PRODUCER + 2, producer_epoch=0)
    talk.ask(produce(name, no_sequence))
    talk.ask(fetch(name))


def a_producer_without_an_epoch_may_go_on_anywhere(talk: Talk, name: str) -> None:
    talk.topic(name)
    for sequence, count, epoch in ((0, 1, -1), (0, 2, -1), (7, 1, -1), (3, 1, 0), (9, 1, 0)):
        talk.ask(
            produce(
                name,
                batch(
                    *[b"v"] * count,
                    producer_id=UNKNOWN_PRODUCER,
                    producer_epoch=epoch,
                    base_sequence=sequence,
                ),
            )
        )


def sequences_wrap(talk: Talk, name: str) -> None:
    talk.topic(name)
    last = 2**31 - 1
    for sequence, count in ((last - 1, 1), (last, 1), (0, 1), (last, 1), (1, 2)):
        sent = batch(
            *[b"a"] * count,
            producer_id=UNKNOWN_PRODUCER + 3,
            producer_epoch=0,
            base_sequence=sequence,
        )
        talk.ask(produce(name, sent))
    across = batch(
        b"a", b"b", b"c", producer_id=UNKNOWN_PRODUCER + 4, producer_epoch=0, base_sequence=last - 1
    )
    talk.ask(produce(name, across))
    after = batch(b"d", producer_id=UNKNOWN_PRODUCER + 4, producer_epoch=0, base_sequence=1)
    talk.ask(produce(name, after))


def two_batches_of_a_producer_in_one_request(talk: Talk, name: str) -> None:
    talk.topic(name)
    pair = [
        batch(b"a", producer_id=UNKNOWN_PRODUCER + 5, producer_epoch=0, base_sequence=sequence)
        for sequence in (0, 1)
    ]
    talk.ask(produce(name, *pair))
    talk.ask(fetch(name))


def times_of_the_producer(talk: Talk, name: str) -> None:
    talk.topic(name)
    now = time.time_ns() // 10**6
    for at in (0, 5, now, now + 1_800_000, now + 7_200_000, -1):
        talk.ask(produce(name, batch(b"a", at=at)))
    talk.ask(produce(name, batch(b"a", b"b", b"c", at=(9, 3, 6))))
    talk.ask(produce(name, batch(b"a", b"b", at=(5, now + 7_200_000))))
    talk.ask(fetch(name))


def times_of_the_broker(talk: Talk, name: str) -> None:
    talk.topic(name, message_timestamp_type="LogAppendTime")
    talk.ask(produce(name, batch(b"a", b"b", at=(9, 3))))
    sent = batch(b"c", producer_id=UNKNOWN_PRODUCER + 6, producer_epoch=0, base_sequence=0)
    talk.ask(produce(name, sent))
    talk.ask(produce(name, sent))
    talk.ask(produce(name, batch(b"late", at=2**53)))
    talk.ask(fetch(name))


def times_within_bounds(talk: Talk, name: str) -> None:
    talk.topic(
        name,
        message_timestamp_before_max_ms="60000",
        message_timestamp_after_max_ms="60000",
    )
    now = time.time_ns() // 10**6
    for at in (5, now - 120_000, now - 1000, now + 1000, now + 120_000):
        talk.ask(produce(name, batch(b"a", at=at)))
    talk.ask(produce(name, batch(b"a", b"b", at=(now, 5))))


def batches_too_large(talk: Talk, name: str) -> None:
    talk.topic(name, max_message_bytes="200")
    for size in (100, 131, 132, 133, 200, 1000):
        talk.ask(produce(name, batch(b"x" * size)))
    talk.topic(f"{name}-segment", segment_bytes="1048576")
    talk.ask(produce(f"{name}-segment", batch(b"x" * 1_048_400)))
    talk.ask(produce(f"{name}-segment", batch(b"x" * 1_048_550)))
    talk.ask(produce(f"{name}-segment", batch(b"x" * 1_048_588)))


def fewer_replicas_than_wanted(talk: Talk, name: str) -> None:
    talk.topic(name, min_insync_replicas="2")
    for acks in (-1, 1):
        talk.ask(produce(name, batch(b"a"), acks=acks))
    talk.ask(alter(name, ("min.insync.replicas", 0, "1")))


def a_transactional_id(talk: Talk, name: str) -> None:
    talk.topic(name)
    talk.ask(produce(name, batch(b"a"), transaction="t"))


def markers_of_transactions(talk: Talk, name: str) -> None:
    talk.topic(name)
    talk.ask(produce(name, batch(b"a", b"b")))
    talk.ask(marker((name, 0)))
    talk.ask(produce(name, batch(b"c")))
    talk.ask(marker((name, 0), committed=True))
    talk.ask(marker((name, 7)))
    talk.ask(fetch(name))
    talk.ask(fetch(name, wanted(offset=2)))
    talk.ask(list_offsets(name))
