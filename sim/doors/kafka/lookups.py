"""What a consumer asks the cluster on the program's behalf: offsets by time, commits, ends."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from sim.doors.kafka.partition import listed
from sim.kafka.client import codes
from sim.kafka.client.commits import Offset
from sim.kafka.client.consumer import Consumer
from sim.kafka.client.fetcher import list_offsets
from sim.kafka.client.values import OFFSET_BEGINNING, OFFSET_END, OFFSET_INVALID, result
from sim.kafka.client.wheel import KafkaException, Message, error_of, fail, text_of

_FOR_EVER = 2**31 / 1000
_SECOND = 1_000_000_000
_NO_EPOCH = -1


def offsets_of(message: Any, offsets: Any, verb: str) -> list[Offset] | None:
    """Return what `commit` and `store_offsets` were given; None if nothing."""
    if message is not None and offsets is not None:
        raise ValueError("message and offsets are mutually exclusive")
    if message is not None:
        if not isinstance(message, Message):
            raise TypeError("expected confluent_kafka.cimpl.Message")
        error = message.error()
        if error is not None:
            text = f"Cannot {verb} offsets for message with error: '{error.str()}'"
            fail(codes.INVALID_ARG, text)
        epoch = message.leader_epoch()
        behind = int(message.offset() or 0) + 1
        topic, partition = str(message.topic()), int(message.partition() or 0)
        return [Offset(topic, partition, behind, -1 if epoch is None else epoch)]
    if offsets is None:
        return None
    return [
        Offset(
            p.topic,
            p.partition,
            p.offset,
            -1 if p.leader_epoch is None else p.leader_epoch,
            p.metadata,
        )
        for p in listed(offsets)
    ]


def store(consumer: Consumer, offsets: Sequence[Offset]) -> None:
    """Store offsets; an error only if none of them could be."""
    code = 0
    stored = False
    for offset in offsets:
        tracked = consumer.tracked.get((offset.topic, offset.partition))
        if tracked is None:
            code = codes.UNKNOWN_PARTITION
        elif not tracked.assigned:
            code = codes.STATE
        else:
            tracked.stored = offset.offset
            tracked.stored_epoch = offset.epoch
            tracked.stored_metadata = offset.metadata
            stored = True
    if code and not stored:
        fail(code, f"StoreOffsets failed: {text_of(code)}")


def committed(consumer: Consumer, partitions: Sequence[Any], timeout: float) -> list[Any]:
    """Ask for committed offsets until there is an answer, or no time left."""
    until = consumer.kernel.now + int((timeout if timeout >= 0 else _FOR_EVER) * _SECOND)
    keys = [(p.topic, p.partition) for p in partitions]
    what = "Failed to get committed offsets: "
    if not keys:
        return []
    while True:
        left = (until - consumer.kernel.now) / _SECOND
        code, found = _call(
            consumer, lambda done: consumer.commits.fetch(keys, done), left, codes.TIMED_OUT, what
        )
        if not code:
            break
        if code > 0 and code not in _AGAIN:
            fail(code, what + text_of(code))
        consumer.kernel.sleep(int(consumer.settings.retry_backoff))
    answers = []
    for key in keys:
        offset = found[key]
        error = error_of(offset.error) if offset.error else None
        at = offset.offset if offset.offset >= 0 else OFFSET_INVALID
        answers.append(
            result(*key, at, metadata=offset.metadata or None, epoch=offset.epoch, error=error)
        )
    return answers


def watermarks(
    consumer: Consumer, partition: Any, timeout: float, *, cached: bool
) -> tuple[int, int]:
    """Ask the leader for the first and the last offset, or look at what the last fetch said."""
    key = (partition.topic, partition.partition)
    if cached:
        tracked = consumer.tracked.get(key)
        if tracked is None:
            return OFFSET_INVALID, OFFSET_INVALID
        return tracked.low, tracked.high
    what = "Failed to get watermark offsets: "
    leader = _leaders(consumer, [key], timeout, what)[0][key]
    ends: dict[int, tuple[int, int]] = {}

    def ask(done: Callable[..., None]) -> None:
        # One request for each (KAFKA-1588), both at once (rd_kafka_query_watermark_offsets).
        for logical in (OFFSET_BEGINNING, OFFSET_END):
            list_offsets(consumer, leader, [(*key, logical)], partial(take, done, logical))

    def take(done: Callable[..., None], logical: int, code: int, found: list[Any]) -> None:
        ends[logical] = code or found[0][0], found[0][1] if found else OFFSET_INVALID
        if code or len(ends) > 1:
            done(*ends.values())

    for code, _ in _call(consumer, ask, timeout, codes.TIMED_OUT, what):
        if code:
            fail(_shown(code), what + text_of(_shown(code)))
    return ends[OFFSET_BEGINNING][1], ends[OFFSET_END][1]


def for_times(consumer: Consumer, partitions: Sequence[Any], timeout: float) -> list[Any]:
    """Ask each leader for the first offset not before a time; END if there is none.

    A partition that nobody knows comes back as it was asked, with its error; only if none is known
    the call fails (measured with librdkafka 2.16).
    """
    what = "Failed to get offsets: "
    keys = [(p.topic, p.partition) for p in partitions]
    if not keys:
        fail(codes.INVALID_ARG, what + text_of(codes.INVALID_ARG))
    leaders, unknown = _leaders(consumer, keys, timeout, what)
    by_leader: dict[int, list[tuple[str, int, int]]] = {}
    for p in partitions:
        if (leader := leaders.get((p.topic, p.partition))) is not None:
            by_leader.setdefault(leader, []).append((p.topic, p.partition, p.offset))
    answers = _ask_all(consumer, by_leader, timeout, what)
    answers |= {
        (p.topic, p.partition): (unknown[p.topic, p.partition], p.offset, _NO_EPOCH)
        for p in partitions
        if (p.topic, p.partition) in unknown
    }
    results = []
    for key in keys:
        code, offset, epoch = answers[key]
        results.append(result(*key, offset, epoch=epoch, error=error_of(code) if code else None))
    return results


def _ask_all(
    consumer: Consumer,
    by_leader: dict[int, list[tuple[str, int, int]]],
    timeout: float,
    what: str,
) -> dict[tuple[str, int], tuple[int, int, int]]:
    """Ask every leader at once; return (error, offset, epoch) by partition."""
    answers: dict[tuple[str, int], tuple[int, int, int]] = {}
    left = set(by_leader)

    def ask(done: Callable[..., None]) -> None:
        for leader, asked in by_leader.items():  # all at once (rd_kafka_offsets_for_times)
            list_offsets(consumer, leader, asked, partial(take, done, leader))

    def take(done: Callable[..., None], leader: int, code: int, found: list[Any]) -> None:
        left.discard(leader)
        for (topic, index, _), answer in zip(by_leader[leader], found, strict=False):
            answers[topic, index] = answer
        if code or not left:
            done(code)

    (code,) = _call(consumer, ask, timeout, codes.TIMED_OUT, what)
    if code:
        fail(_shown(code), what + text_of(_shown(code)))
    return answers


_AGAIN = frozenset(
    {
        codes.UNSTABLE_OFFSET_COMMIT,
        codes.COORDINATOR_LOAD_IN_PROGRESS,
        codes.COORDINATOR_NOT_AVAILABLE,
        codes.NOT_COORDINATOR,
    }
)


def _leaders(
    consumer: Consumer, keys: Sequence[tuple[str, int]], timeout: float, what: str
) -> tuple[dict[tuple[str, int], int], dict[tuple[str, int], int]]:
    """Return the leader of each partition, and the error of each that is not known.

    Topics not known yet are asked for. The call fails if no partition is known, or if one has no
    leader just now.
    """
    _look_up(consumer, dict.fromkeys(topic for topic, _ in keys), timeout, what)
    found: dict[tuple[str, int], int] = {}
    unknown: dict[tuple[str, int], int] = {}
    for topic, index in keys:
        view = consumer.metadata.topics.get(topic)
        if view is None or view.error:
            unknown[topic, index] = codes.UNKNOWN_TOPIC_OR_PART if view is None else view.error
        elif not 0 <= index < len(view.partitions):
            unknown[topic, index] = codes.UNKNOWN_PARTITION
        elif view.partitions[index].leader not in consumer.by_id:
            fail(codes.LEADER_NOT_AVAILABLE, what + text_of(codes.LEADER_NOT_AVAILABLE))
        else:
            found[topic, index] = view.partitions[index].leader
    if not found:
        code = unknown[keys[0]]
        code = codes.UNKNOWN_PARTITION if code == codes.UNKNOWN_TOPIC_OR_PART else code
        fail(code, what + text_of(code))
    return found, unknown


def _look_up(consumer: Consumer, names: Iterable[str], timeout: float, what: str) -> None:
    known = consumer.metadata.topics
    missing = tuple(name for name in names if name not in known or known[name].error)
    if not missing:
        return
    limit = timeout if timeout >= 0 else _FOR_EVER
    code, _ = _call(
        consumer,
        lambda done: consumer.metadata.fetch(missing, done, int(limit * _SECOND)),
        limit,
        codes.ALL_BROKERS_DOWN,
        what,
    )
    if code:
        fail(codes.ALL_BROKERS_DOWN, what + text_of(codes.ALL_BROKERS_DOWN))


def _call(
    consumer: Consumer, start: Callable[..., None], timeout: float, late: int, what: str
) -> tuple[Any, ...]:
    try:
        return consumer.call(start, max(timeout, 0.0) if timeout != -1 else -1)
    except KafkaException:
        fail(late, what + text_of(late))


def _shown(code: int) -> int:
    return codes.TRANSPORT if code == codes.TRANSPORT_UNSENT else code
