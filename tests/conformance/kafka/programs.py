"""Programs that know neither which client library they have nor whether time is virtual.

Each is given a configuration and hands that break things, and returns what it has seen.
"""

import time
from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.cimpl import NewPartitions, NewTopic

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
    subscribed,
)


def simple_producer(conf: Conf, hands: Hands) -> Seen:
    return produced(conf, [b"a", b"b", b"c"])


def keys_choose_partitions(conf: Conf, hands: Hands) -> Seen:
    producer, reports = Producer(conf), Reports()
    for key in (b"alice", b"bob", b"carol", b"dave"):
        producer.produce("three", b"v", key, on_delivery=reports)
        producer.flush(20)
    return {"reports": reports.seen}


def lingering(conf: Conf, hands: Hands) -> Seen:
    return produced(conf | {"linger.ms": 400}, [b"v"] * 5)


def batches_of_three(conf: Conf, hands: Hands) -> Seen:
    more = {"linger.ms": 300, "batch.num.messages": 3, "max.in.flight": 1}
    return produced(conf | more, [b"v"] * 7)


def without_acks(conf: Conf, hands: Hands) -> Seen:
    return produced(conf | {"acks": 0}, [b"a", b"b"])


def one_ack(conf: Conf, hands: Hands) -> Seen:
    return produced(conf | {"acks": 1}, [b"a", b"b"])


def idempotent_producer_loses_an_answer(conf: Conf, hands: Hands) -> Seen:
    producer, reports = Producer(conf | {"enable.idempotence": True}), Reports()
    producer.produce("t", b"first", partition=0, on_delivery=reports)
    producer.flush(20)
    first_s = reports.last_s
    hands.lose_answer()
    producer.produce("t", b"second", partition=0, on_delivery=reports)
    left = producer.flush(20)
    second_s = reports.last_s - first_s
    return {"left": left, "reports": reports.seen, "first_s": first_s, "second_s": second_s}


def producer_loses_an_answer(conf: Conf, hands: Hands) -> Seen:
    hands.lose_answer()
    return produced(conf, [b"a"])


def producer_without_retries_loses_an_answer(conf: Conf, hands: Hands) -> Seen:
    hands.lose_answer()
    return produced(conf | {"retries": 0}, [b"a"])


def broker_restarts(conf: Conf, hands: Hands) -> Seen:
    producer, reports = Producer(conf), Reports()
    producer.produce("t", b"before", partition=0, on_delivery=reports)
    producer.flush(20)
    hands.restart(0.7)
    time.sleep(0.3)
    producer.produce("t", b"after", partition=0, on_delivery=reports)
    left = producer.flush(20)
    return {"left": left, "reports": reports.seen, "reported_s": reports.last_s}


def message_times_out(conf: Conf, hands: Hands) -> Seen:
    producer, reports = Producer(conf | {"message.timeout.ms": 1500}), Reports()
    producer.produce("t", b"before", partition=0, on_delivery=reports)
    producer.flush(20)
    hands.restart(4)
    time.sleep(0.3)
    producer.produce("t", b"late", partition=0, on_delivery=reports)
    left = producer.flush(20)
    return {"left": left, "reports": reports.seen, "reported_s": reports.last_s}


def what_cannot_be_produced(conf: Conf, hands: Hands) -> Seen:
    seen: Seen = {}
    producer = Producer(conf)
    calls: dict[str, Callable[[], Any]] = {
        "too large": lambda: producer.produce("t", b"x" * 2_000_000),
        "no such partition": lambda: producer.produce("t", b"x", partition=-7),
    }
    for name, call in calls.items():
        try:
            call()
        except KafkaException as error:
            seen[name] = error.args[0].name()
    reports = Reports()
    producer.produce("t", b"x", partition=5, on_delivery=reports)
    producer.flush(20)
    seen["reports"] = reports.seen
    return seen


def assign_seek_pause(conf: Conf, hands: Hands) -> Seen:
    fill(conf, 5)
    consumer = consumer_of(conf)
    consumer.assign([TopicPartition("t", 0, 2)])
    read = [next_of(consumer), next_of(consumer)]
    consumer.seek(TopicPartition("t", 0, 0))
    read.append(next_of(consumer))
    consumer.pause([TopicPartition("t", 0)])
    read.append(next_of(consumer, 0.5))
    consumer.resume([TopicPartition("t", 0)])
    read.append(next_of(consumer))
    (position,) = consumer.position([TopicPartition("t", 0)])
    consumer.close()
    return {"read": read, "position": position.offset}


def end_of_a_partition(conf: Conf, hands: Hands) -> Seen:
    fill(conf, 2)
    consumer = consumer_of(conf, enable_partition_eof=True)
    consumer.assign([TopicPartition("t", 0)])
    read = [next_of(consumer) for _ in range(3)]
    consumer.close()
    return {"read": read}


def resets(conf: Conf, hands: Hands) -> Seen:
    fill(conf, 3)
    seen: Seen = {}
    for reset in ("earliest", "latest", "error"):
        consumer = consumer_of(conf, auto_offset_reset=reset, enable_partition_eof=True)
        consumer.assign([TopicPartition("t", 0, 99)])
        seen[reset] = next_of(consumer)
        consumer.close()
    return seen


def watermarks_and_times(conf: Conf, hands: Hands) -> Seen:
    fill(conf, 4)
    consumer = consumer_of(conf)
    seen: Seen = {"watermarks": list(consumer.get_watermark_offsets(TopicPartition("t", 0), 10))}
    for at in (0, 1002, 5000):
        (found,) = consumer.offsets_for_times([TopicPartition("t", 0, at)], 10)
        seen[str(at)] = found.offset
    for name, partition in {
        "topic": TopicPartition("no", 0),
        "partition": TopicPartition("t", 9),
    }.items():
        try:
            seen[f"no such {name}"] = consumer.get_watermark_offsets(partition, 3)
        except KafkaException as error:
            seen[f"no such {name}"] = error.args[0].name()
    consumer.close()
    return seen


def a_subscriber_alone(conf: Conf, hands: Hands) -> Seen:
    fill(conf, 2)
    callbacks: list[Any] = []
    consumer = consumer_of(conf)
    subscribed(consumer, ["t"], callbacks, "one")
    since = time.monotonic()
    read = [next_of(consumer)]
    first_s = time.monotonic() - since
    read.append(next_of(consumer))
    consumer.commit(asynchronous=False)
    (kept,) = consumer.committed([TopicPartition("t", 0)], 10)
    consumer.close()
    return {"read": read, "committed": kept.offset, "callbacks": callbacks, "first_s": first_s}


def two_subscribers(conf: Conf, hands: Hands) -> Seen:
    callbacks: list[Any] = []
    fast = {"heartbeat_interval_ms": 200, "session_timeout_ms": 6000}
    one = consumer_of(conf, client_id="one", **fast)
    subscribed(one, ["three"], callbacks, "one")
    while not one.assignment():
        one.poll(0.05)
    two = consumer_of(conf, client_id="two", **fast)
    subscribed(two, ["three"], callbacks, "two")
    while not (two.assignment() and len(one.assignment()) < 3):
        one.poll(0.05)
        two.poll(0.05)
    two.close()
    while len(one.assignment()) < 3:
        one.poll(0.05)
    one.close()
    return {
        "one": [each[1:] for each in callbacks if each[0] == "one"],
        "two": [each[1:] for each in callbacks if each[0] == "two"],
    }


def auto_commit(conf: Conf, hands: Hands) -> Seen:
    fill(conf, 3)
    consumer = consumer_of(conf, enable_auto_commit=True, auto_commit_interval_ms=200)
    consumer.subscribe(["t"])
    read = [next_of(consumer) for _ in range(2)]
    consumer.poll(0)
    time.sleep(0.8)
    other = consumer_of(conf)
    (kept,) = other.committed([TopicPartition("t", 0)], 10)
    consumer.close()
    (left,) = other.committed([TopicPartition("t", 0)], 10)
    other.close()
    return {"read": read, "committed": kept.offset >= 2, "left": left.offset}


def commits_that_fail(conf: Conf, hands: Hands) -> Seen:
    consumer = consumer_of(conf)
    consumer.assign([TopicPartition("t", 0)])
    seen: Seen = {}
    for name, offsets in {
        "nothing": None,
        "no such topic": [TopicPartition("no", 0, 1)],
        "no such partition": [TopicPartition("t", 9, 1)],
        "long metadata": [TopicPartition("t", 0, 1, metadata="x" * 5000)],
        "fine": [TopicPartition("t", 0, 1, metadata="why")],
    }.items():
        try:
            how: Any = {} if offsets is None else {"offsets": offsets}
            done = consumer.commit(asynchronous=False, **how)
            seen[name] = [[each.offset, name_of(each.error)] for each in done or []]
        except KafkaException as error:
            seen[name] = error.args[0].name()
    consumer.close()
    return seen


def _outcome(future: Any) -> str | None:
    error = future.exception(10)
    return None if error is None else error.args[0].name()


def administrator(conf: Conf, hands: Hands) -> Seen:
    admin = AdminClient(conf)
    seen: Seen = {}
    for name, topic in {
        "made": NewTopic("made", 2, 1),
        "again": NewTopic("made", 2, 1),
        "bad name": NewTopic("a/b", 1, 1),
        "bad config": NewTopic("bad", 1, 1, config={"nonsense": "1"}),
        "two replicas": NewTopic("two", 1, 2),
    }.items():
        (future,) = admin.create_topics([topic]).values()
        seen[name] = _outcome(future)
    for count in (4, 2):
        (future,) = admin.create_partitions([NewPartitions("made", count)]).values()
        seen[f"{count} partitions"] = _outcome(future)
    for name in ("made", "never"):
        (future,) = admin.describe_configs([ConfigResource("topic", name)]).values()
        seen[f"describe {name}"] = _outcome(future)
    low = admin.delete_records([TopicPartition("made", 0, 0), TopicPartition("made", 0, 5)][:1])
    seen["low"] = [future.result(10).low_watermark for future in low.values()]
    seen["topics"] = sorted(admin.list_topics(timeout=10).topics)
    for name in ("made", "never"):
        (future,) = admin.delete_topics([name]).values()
        seen[f"delete {name}"] = _outcome(future)
    (future,) = admin.delete_consumer_groups(["never"]).values()
    seen["delete group"] = _outcome(future)
    return seen
