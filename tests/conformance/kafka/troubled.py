"""Programs whose broker dies at a bad moment, and programs that are late or out of step.

They know as little as those of `programs`.
"""

import time
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.conformance.kafka.hands import (
    Conf,
    Hands,
    Reports,
    Seen,
    consumer_of,
    fill,
    name_of,
    next_of,
    produced,
)

_HERE = [TopicPartition("t", 0)]


def broker_is_killed_before_it_answers(conf: Conf, hands: Hands) -> Seen:
    """Two batches are written; of the first it knows nothing when it comes back."""
    more = {"enable.idempotence": True, "batch.num.messages": 1, "linger.ms": 0}
    producer, reports = Producer(conf | more), Reports()
    producer.produce("t", b"before", partition=0, on_delivery=reports)
    producer.flush(20)
    hands.withhold_answers()
    for value in (b"one", b"two"):
        producer.produce("t", value, partition=0, on_delivery=reports)
    time.sleep(0.5)
    hands.restart(0.5)
    fatal, until = None, time.monotonic() + 10
    while len(reports.seen) < 3 and time.monotonic() < until:
        try:
            producer.poll(0.1)
        except KafkaException as error:
            fatal = error.args[0].name()
    try:
        producer.produce("t", b"after", partition=0)
        after = None
    except KafkaException as error:
        after = error.args[0].name()
    return {"reports": reports.seen, "fatal": fatal, "after": after, "in_log": _end(conf)}


def broker_is_killed_before_it_answers_once(conf: Conf, hands: Hands) -> Seen:
    """One batch is written; that it knows when it comes back."""
    producer, reports = Producer(conf | {"enable.idempotence": True}), Reports()
    producer.produce("t", b"before", partition=0, on_delivery=reports)
    producer.flush(20)
    hands.withhold_answers()
    producer.produce("t", b"one", partition=0, on_delivery=reports)
    time.sleep(0.5)
    hands.restart(0.5)
    left = producer.flush(20)
    return {"left": left, "reports": reports.seen, "in_log": _end(conf)}


def _end(conf: Conf) -> int:
    consumer = consumer_of(conf)
    _, high = consumer.get_watermark_offsets(_HERE[0], 10)
    consumer.close()
    return int(high)


def queue_that_is_full(conf: Conf, hands: Hands) -> Seen:
    producer, reports = Producer(conf | {"queue.buffering.max.messages": 2}), Reports()
    refused = []
    for _ in range(4):
        try:
            producer.produce("t", b"v", partition=0, on_delivery=reports)
            refused.append(False)
        except BufferError:
            refused.append(True)
    producer.flush(20)
    producer.produce("t", b"v", partition=0, on_delivery=reports)
    left = producer.flush(20)
    return {"refused": refused, "left": left, "reports": reports.seen}


def flush_that_does_not_wait_long_enough(conf: Conf, hands: Hands) -> Seen:
    producer, reports = Producer(conf), Reports()
    producer.produce("t", b"before", partition=0, on_delivery=reports)
    producer.flush(20)
    hands.restart(2)
    time.sleep(0.3)
    for value in (b"one", b"two"):
        producer.produce("t", value, partition=0, on_delivery=reports)
    left = [producer.flush(0.4), producer.flush(20)]
    return {"left": left, "reports": reports.seen}


def records_deleted_beneath_a_reader(conf: Conf, hands: Hands) -> Seen:
    fill(conf, 5)
    admin = AdminClient(conf)
    (deleted,) = admin.delete_records([TopicPartition("t", 0, 4)]).values()
    seen: Seen = {"low": deleted.result(10).low_watermark}
    for reset in ("earliest", "latest", "error"):
        consumer = consumer_of(conf, auto_offset_reset=reset, enable_partition_eof=True)
        consumer.assign([TopicPartition("t", 0, 1)])
        seen[reset] = next_of(consumer)
        consumer.close()
    return seen


def offsets_stored_by_hand(conf: Conf, hands: Hands) -> Seen:
    fill(conf, 3)
    consumer = consumer_of(conf, enable_auto_offset_store=False)
    consumer.assign([TopicPartition("t", 0, 0)])
    read = [next_of(consumer) for _ in range(3)]
    nothing = _committed(consumer)
    consumer.store_offsets(offsets=[TopicPartition("t", 0, 2)])
    stored = _committed(consumer)
    (kept,) = consumer.committed(_HERE, 10)
    consumer.close()
    return {"read": read, "nothing": nothing, "stored": stored, "kept": kept.offset}


def _committed(consumer: Consumer) -> Any:
    try:
        done = consumer.commit(asynchronous=False) or []
        return [[each.offset, name_of(each.error)] for each in done]
    except KafkaException as error:
        return error.args[0].name()


def fewer_messages_than_asked_for(conf: Conf, hands: Hands) -> Seen:
    fill(conf, 3)
    consumer = consumer_of(conf)
    consumer.assign([TopicPartition("t", 0, 0)])
    since = time.monotonic()
    found = consumer.consume(5, 1.5)
    waited_s = time.monotonic() - since
    consumer.close()
    return {"read": [message.offset() for message in found], "waited_s": waited_s}


def reader_through_a_restart(conf: Conf, hands: Hands) -> Seen:
    fill(conf, 2)
    consumer = consumer_of(conf)
    consumer.assign([TopicPartition("t", 0, 0)])
    read = [next_of(consumer) for _ in range(2)]
    hands.restart(0.7)
    time.sleep(0.3)
    after = produced(conf, [b"after"])["reports"]
    read.append(next_of(consumer, 20))
    (position,) = consumer.position(_HERE)
    committed = _committed(consumer)
    consumer.close()
    return {"read": read, "after": after, "position": position.offset, "committed": committed}


def where_the_callback_says(conf: Conf, hands: Hands) -> Seen:
    fill(conf, 4)
    consumer = consumer_of(conf)

    def assigned(_: Consumer, parts: list[TopicPartition]) -> None:
        consumer.assign([TopicPartition(part.topic, part.partition, 2) for part in parts])

    consumer.subscribe(["t"], on_assign=assigned)
    read = [next_of(consumer) for _ in range(2)]
    committed = _committed(consumer)
    consumer.close()
    return {"read": read, "committed": committed}


def member_that_polls_too_late(conf: Conf, hands: Hands) -> Seen:
    fill(conf, 3)
    callbacks: list[str] = []
    consumer = consumer_of(conf, session_timeout_ms=6000, max_poll_interval_ms=6000)
    consumer.subscribe(
        ["t"],
        on_assign=lambda *_: callbacks.append("assigned"),
        on_revoke=lambda *_: callbacks.append("revoked"),
        on_lost=lambda *_: callbacks.append("lost"),
    )
    read = [next_of(consumer), next_of(consumer)]
    time.sleep(8)
    late = _committed(consumer)
    after = [next_of(consumer), next_of(consumer, 20)]
    committed = _committed(consumer)
    consumer.close()
    return {
        "read": read,
        "late": late,
        "after": after,
        "committed": committed,
        "callbacks": callbacks,
    }
