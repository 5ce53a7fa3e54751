"""Programs that know neither which client library they have nor whether time is virtual.

Each is given a configuration and hands that break things, and returns what it has seen: reports,
errors by name, messages, and times in seconds under names that end in ``_s``.
"""

import time
from collections.abc import Callable
from typing import Any, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.cimpl import NewPartitions, NewTopic

Conf = dict[str, Any]
Seen = dict[str, Any]


class Hands(Protocol):
    """What a test can do to the one broker."""

    def lose_answer(self) -> None:
        """Lose the next answer to a Produce, and its connection."""

    def restart(self, after_s: float) -> None:
        """Crash the broker, start it again after a time."""


Program = Callable[[Conf, Hands], Seen]


def _name(error: KafkaError | None) -> str | None:
    return None if error is None else error.name()


class _Reports:
    def __init__(self) -> None:
        self.seen: list[Any] = []
        self._since = time.monotonic()

    def __call__(self, error: KafkaError | None, message: Message) -> None:
        self.seen.append([_name(error), message.partition(), message.offset()])
        self.last_s = time.monotonic() - self._since


def _produce(conf: Conf, values: list[bytes], topic: str = "t", **how: Any) -> Seen:
    producer, reports = Producer(conf), _Reports()
    for at, value in enumerate(values):
        producer.produce(
            topic, value, how.get("key"), how.get("partition", 0), reports, how.get("at", 1000) + at
        )
    while len(reports.seen) < len(values):
        producer.poll(0.1)
    return {"reports": reports.seen, "reported_s": reports.last_s}


def _fill(conf: Conf, count: int, topic: str = "t") -> None:
    _produce(conf, [b"%d" % n for n in range(count)], topic)


def simple_producer(conf: Conf, hands: Hands) -> Seen:
    return _produce(conf, [b"a", b"b", b"c"])


def keys_choose_partitions(conf: Conf, hands: Hands) -> Seen:
    producer, reports = Producer(conf), _Reports()
    for key in (b"alice", b"bob", b"carol", b"dave"):
        producer.produce("three", b"v", key, on_delivery=reports)
        producer.flush(20)
    return {"reports": reports.seen}


def lingering(conf: Conf, hands: Hands) -> Seen:
    return _produce(conf | {"linger.ms": 400}, [b"v"] * 5)


def batches_of_three(conf: Conf, hands: Hands) -> Seen:
    more = {"linger.ms": 300, "batch.num.messages": 3, "max.in.flight": 1}
    return _produce(conf | more, [b"v"] * 7)


def without_acks(conf: Conf, hands: Hands) -> Seen:
    return _produce(conf | {"acks": 0}, [b"a", b"b"])


def one_ack(conf: Conf, hands: Hands) -> Seen:
    return _produce(conf | {"acks": 1}, [b"a", b"b"])


def idempotent_producer_loses_an_answer(conf: Conf, hands: Hands) -> Seen:
    producer, reports = Producer(conf | {"enable.idempotence": True}), _Reports()
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
    return _produce(conf, [b"a"])


def producer_without_retries_loses_an_answer(conf: Conf, hands: Hands) -> Seen:
    hands.lose_answer()
    return _produce(conf | {"retries": 0}, [b"a"])


def broker_restarts(conf: Conf, hands: Hands) -> Seen:
    producer, reports = Producer(conf), _Reports()
    producer.produce("t", b"before", partition=0, on_delivery=reports)
    producer.flush(20)
    hands.restart(0.7)
    time.sleep(0.3)
    producer.produce("t", b"after", partition=0, on_delivery=reports)
    left = producer.flush(20)
    return {"left": left, "reports": reports.seen, "reported_s": reports.last_s}


def message_times_out(conf: Conf, hands: Hands) -> Seen:
    producer, reports = Producer(conf | {"message.timeout.ms": 1500}), _Reports()
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
    reports = _Reports()
    producer.produce("t", b"x", partition=5, on_delivery=reports)
    producer.flush(20)
    seen["reports"] = reports.seen
    return seen


def _consumer(conf: Conf, **more: Any) -> Consumer:
    plain = {"group.id": "g", "auto.offset.reset": "earliest", "enable.auto.commit": False}
    return Consumer(conf | plain | {key.replace("_", "."): value for key, value in more.items()})


def _next(consumer: Consumer, timeout: float = 10) -> Any:
    message = consumer.poll(timeout)
    if message is None:
        return None
    if error := message.error():
        return error.name()
    return [message.partition(), message.offset()]


def assign_seek_pause(conf: Conf, hands: Hands) -> Seen:
    _fill(conf, 5)
    consumer = _consumer(conf)
    consumer.assign([TopicPartition("t", 0, 2)])
    read = [_next(consumer), _next(consumer)]
    consumer.seek(TopicPartition("t", 0, 0))
    read.append(_next(consumer))
    consumer.pause([TopicPartition("t", 0)])
    read.append(_next(consumer, 0.5))
    consumer.resume([TopicPartition("t", 0)])
    read.append(_next(consumer))
    (position,) = consumer.position([TopicPartition("t", 0)])
    consumer.close()
    return {"read": read, "position": position.offset}


def end_of_a_partition(conf: Conf, hands: Hands) -> Seen:
    _fill(conf, 2)
    consumer = _consumer(conf, enable_partition_eof=True)
    consumer.assign([TopicPartition("t", 0)])
    read = [_next(consumer) for _ in range(3)]
    consumer.close()
    return {"read": read}


def resets(conf: Conf, hands: Hands) -> Seen:
    _fill(conf, 3)
    seen: Seen = {}
    for reset in ("earliest", "latest", "error"):
        consumer = _consumer(conf, auto_offset_reset=reset, enable_partition_eof=True)
        consumer.assign([TopicPartition("t", 0, 99)])
        seen[reset] = _next(consumer)
        consumer.close()
    return seen


def watermarks_and_times(conf: Conf, hands: Hands) -> Seen:
    _fill(conf, 4)
    consumer = _consumer(conf)
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


def _subscribed(consumer: Consumer, topics: list[str], seen: list[Any], who: str) -> None:
    def note(kind: str) -> Callable[[Consumer, list[TopicPartition]], None]:
        return lambda _, parts: seen.append(
            [who, kind, sorted([p.topic, p.partition] for p in parts)]
        )

    consumer.subscribe(topics, on_assign=note("assigned"), on_revoke=note("revoked"))


def a_subscriber_alone(conf: Conf, hands: Hands) -> Seen:
    _fill(conf, 2)
    callbacks: list[Any] = []
    consumer = _consumer(conf)
    _subscribed(consumer, ["t"], callbacks, "one")
    since = time.monotonic()
    read = [_next(consumer)]
    first_s = time.monotonic() - since
    read.append(_next(consumer))
    consumer.commit(asynchronous=False)
    (kept,) = consumer.committed([TopicPartition("t", 0)], 10)
    consumer.close()
    return {"read": read, "committed": kept.offset, "callbacks": callbacks, "first_s": first_s}


def two_subscribers(conf: Conf, hands: Hands) -> Seen:
    callbacks: list[Any] = []
    fast = {"heartbeat_interval_ms": 200, "session_timeout_ms": 6000}
    one = _consumer(conf, client_id="one", **fast)
    _subscribed(one, ["three"], callbacks, "one")
    while not one.assignment():
        one.poll(0.05)
    two = _consumer(conf, client_id="two", **fast)
    _subscribed(two, ["three"], callbacks, "two")
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
    _fill(conf, 3)
    consumer = _consumer(conf, enable_auto_commit=True, auto_commit_interval_ms=200)
    consumer.subscribe(["t"])
    read = [_next(consumer) for _ in range(2)]
    consumer.poll(0)
    time.sleep(0.8)
    other = _consumer(conf)
    (kept,) = other.committed([TopicPartition("t", 0)], 10)
    consumer.close()
    (left,) = other.committed([TopicPartition("t", 0)], 10)
    other.close()
    return {"read": read, "committed": kept.offset >= 2, "left": left.offset}


def commits_that_fail(conf: Conf, hands: Hands) -> Seen:
    consumer = _consumer(conf)
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
            seen[name] = [[each.offset, _name(each.error)] for each in done or []]
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


PROGRAMS: dict[str, Program] = {
    name: function
    for name, function in list(globals().items())
    if getattr(function, "__module__", "") == __name__
    and not name.startswith("_")
    and not isinstance(function, type)
}

TOPICS = {"t": 1, "three": 3}
