"""Fetching: one request at a time to each broker, for all partitions it leads that want more.

Source: rdkafka_fetcher.c, rdkafka_offset.c. **Faithful**: the next request follows at once, and
the broker parks it until there is something; partitions with enough prefetched stay out for
`fetch.queue.backoff.ms`, those with an error for `fetch.error.backoff.ms`; offsets whose records
were taken out, and control records, are passed over; answers to a fetch that began before an
assign, seek or pause are dropped; an offset out of range or missing is reset as
`auto.offset.reset` says.
**Simplified**: no fetch sessions; no fetching from followers; positions are not validated against
leader epochs (KIP-320), so OffsetForLeaderEpoch is not asked when a leader is back
(reader_through_a_restart in tests/conformance/kafka).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sim.kafka.batch import CONTROL, PREFIX, Batch
from sim.kafka.client import codes
from sim.kafka.client.broker import Broker
from sim.kafka.client.tracked import Chunk, Tracked
from sim.kafka.client.values import OFFSET_BEGINNING, OFFSET_END, TAIL_BASE
from sim.kafka.client.wheel import text_of
from sim.kafka.entities import (
    FetchPartition,
    FetchRequest,
    FetchTopic,
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
)
from sim.kafka.protocol import Repeated, duration
from sim.kernel import MILLISECOND
from sim.timer import Timer

if TYPE_CHECKING:
    from sim.kafka.client.consumer import Consumer

_ASK_AGAIN = 500 * MILLISECOND
_BEFORE_RESET = 100 * MILLISECOND  # as was seen of the real library, on a real port
_REFRESH = frozenset(
    {
        codes.UNKNOWN_TOPIC_OR_PART,
        codes.LEADER_NOT_AVAILABLE,
        codes.NOT_LEADER,
        codes.BROKER_NOT_AVAILABLE,
        codes.REPLICA_NOT_AVAILABLE,
        codes.STORAGE_ERROR,
        codes.FENCED_LEADER_EPOCH,
        codes.UNKNOWN_LEADER_EPOCH,
        codes.OFFSET_NOT_AVAILABLE,
    }
)

_Wanted = tuple[Tracked, int, int, int]  # partition, version, offset, leader epoch


class Fetcher:
    """The fetches to one broker."""

    __slots__ = ("_body", "_broker", "_busy", "_consumer", "_fetched", "_sought", "_timer")

    def __init__(self, consumer: "Consumer", broker: Broker) -> None:
        self._consumer = consumer
        self._broker = broker
        self._busy = False
        self._body: Repeated | None = None
        self._fetched: list[_Wanted] = []
        self._sought: dict[tuple[str, int], tuple[Tracked, int]] = {}  # the same, by partition
        self._timer: Timer | None = None

    def kick(self) -> None:
        """Fetch, if some partition wants to and no fetch is under way."""
        if self._busy:
            return
        consumer, broker = self._consumer, self._broker
        now = consumer.kernel.now
        wanted: list[_Wanted] = []
        wake = 0
        for tracked in consumer.assignment.values():
            if tracked.leader == broker.node_id and tracked.wants:
                if self._backed_off(tracked, now):
                    wake = min(wake or tracked.backoff_until, tracked.backoff_until)
                else:
                    wanted.append((tracked, tracked.version, tracked.next_offset, tracked.epoch))
        if wanted:
            if broker.up:
                self._fetch(wanted)
            else:
                broker.connect()
        elif wake:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = consumer.process.after(wake - now, self.kick)

    def _backed_off(self, tracked: Tracked, now: int) -> bool:
        """Whether a partition has to wait, after an error or because enough is prefetched."""
        settings = self._consumer.settings
        if tracked.backoff_until <= now and (
            tracked.queued >= settings.prefetch_min
            or tracked.queued_bytes >= settings.prefetch_max_bytes
        ):
            tracked.backoff_until = now + settings.fetch_queue_backoff
        return tracked.backoff_until > now

    def _fetch(self, wanted: list[_Wanted]) -> None:
        self._busy = True
        if self._body is None or wanted != self._fetched:
            self._fetched = wanted
            self._sought = {tracked.key: (tracked, version) for tracked, version, _, _ in wanted}
            self._body = Repeated(self._request(wanted))
        limit = self._consumer.settings.socket_timeout
        self._broker.request(self._body, self._answered, limit)

    def _request(self, wanted: list[_Wanted]) -> FetchRequest:
        settings = self._consumer.settings
        topics: dict[str, list[FetchPartition]] = {}
        for tracked, _, offset, epoch in wanted:
            part = FetchPartition(
                partition=tracked.index,
                current_leader_epoch=epoch,
                fetch_offset=offset,
                partition_max_bytes=settings.fetch_partition_max,
            )
            topics.setdefault(tracked.topic, []).append(part)
        return FetchRequest(
            max_wait=duration(settings.fetch_wait_ms),
            min_bytes=settings.fetch_min,
            max_bytes=settings.fetch_max,
            isolation_level=settings.isolation,
            topics=tuple(
                FetchTopic(topic=topic, partitions=tuple(parts)) for topic, parts in topics.items()
            ),
            forgotten_topics_data=(),
        )

    def _answered(self, code: int, response: Any) -> None:
        self._busy = False
        if response is None:
            self._body = None
            if code == codes.TIMED_OUT:
                return  # the connection goes down next, and the kick comes when it is up again
            self.kick()
            return
        if response.responses:
            self._take(response)
        self.kick()

    def _take(self, response: Any) -> None:
        fetched = self._sought
        for topic in response.responses:
            for part in topic.partitions:
                tracked, version = fetched[topic.topic, part.partition_index]
                if tracked.version != version:
                    continue
                if part.error_code:
                    self._failed(tracked, int(part.error_code))
                    continue
                isolated = self._consumer.settings.isolation
                tracked.high = part.last_stable_offset if isolated else part.high_watermark
                tracked.low = part.log_start_offset
                if part.records:
                    self._enqueue(tracked, part.records)
                elif tracked.next_offset >= tracked.high != tracked.end_seen:
                    tracked.end_seen = tracked.next_offset
                    if self._consumer.settings.partition_eof:
                        self._consumer.failed(codes.PARTITION_EOF, "", tracked, tracked.next_offset)

    def _enqueue(self, tracked: Tracked, batches: Any) -> None:
        put = self._consumer.inbox.put
        began = tracked.next_offset
        for batch in batches:
            skip = tracked.next_offset - batch.base_offset
            if skip >= batch.count:
                continue
            if batch.stale and self._consumer.settings.check_crcs:
                self._damaged(tracked, batch, first=tracked.next_offset == began)
                return
            if batch.records and not batch.attributes & CONTROL:
                put(Chunk(tracked, batch, max(skip, 0)))
            tracked.next_offset = batch.base_offset + batch.count
            tracked.next_epoch = batch.leader_epoch

    def _damaged(self, tracked: Tracked, batch: Batch, *, first: bool) -> None:
        """Tell of a batch whose checksum does not hold; it is fetched again, and again."""
        consumer, size = self._consumer, batch.size - PREFIX
        if first:
            tracked.backoff_until = consumer.kernel.now + consumer.settings.fetch_error_backoff
        text = f"MessageSet at offset {batch.base_offset} ({size} bytes) failed CRC32C check"
        consumer.failed(codes.BAD_MSG, text, tracked, batch.base_offset)

    def _failed(self, tracked: Tracked, code: int) -> None:
        consumer = self._consumer
        tracked.backoff_until = consumer.kernel.now + consumer.settings.fetch_error_backoff
        if code in _REFRESH:
            consumer.metadata.refresh()
        elif code == codes.OFFSET_OUT_OF_RANGE:
            reason = "fetch failed due to requested offset not available on the broker"
            reset(consumer, tracked, tracked.next_offset, code, reason)
        else:
            consumer.failed(code, f"Fetch from broker failed: {text_of(code)}", tracked)


def start(consumer: "Consumer", tracked: Tracked, offset: int) -> None:
    """Begin to fetch at `offset`, or where a logical offset leads to."""
    if offset >= 0:
        tracked.start = offset
        tracked.fetch_from(offset)
        consumer.kick(tracked.leader)
    elif offset in {OFFSET_BEGINNING, OFFSET_END}:
        _resolve(consumer, tracked, offset, 0)
    elif offset <= TAIL_BASE:
        _resolve(consumer, tracked, OFFSET_END, TAIL_BASE - offset)
    else:
        reset(
            consumer, tracked, offset, codes.NO_OFFSET, "no previously committed offset available"
        )


def reset(consumer: "Consumer", tracked: Tracked, offset: int, code: int, reason: str) -> None:
    """Do what `auto.offset.reset` says about an offset that cannot be used."""
    policy = consumer.settings.reset
    tracked.barrier()
    tracked.active = False
    consumer.kernel.trace.record(
        "kafka.reset", consumer.process.label, tracked.topic, tracked.index
    )
    if policy == "error":
        text = f"{reason}: {text_of(code)} (broker {tracked.leader})"
        consumer.failed(codes.AUTO_OFFSET_RESET, text, tracked, offset)
        return
    version = tracked.version
    logical = OFFSET_BEGINNING if policy == "earliest" else OFFSET_END

    def resolve() -> None:
        if tracked.version == version and tracked.assigned:
            _resolve(consumer, tracked, logical, 0)

    consumer.process.after(_BEFORE_RESET, resolve)


def _resolve(consumer: "Consumer", tracked: Tracked, logical: int, tail: int) -> None:
    """Ask the leader where the log begins or ends, until it says so."""
    version = tracked.version
    tracked.active = False

    def again() -> None:
        if tracked.version == version and tracked.assigned:
            _resolve(consumer, tracked, logical, tail)

    def answered(code: int, found: list[tuple[int, int, int]]) -> None:
        if tracked.version != version or not tracked.assigned:
            return
        if not code:
            code, offset, _ = found[0]
            if not code:
                tracked.start = max(offset - tail, 0)
                tracked.fetch_from(tracked.start)
                consumer.kick(tracked.leader)
                return
        consumer.metadata.refresh()
        consumer.process.after(_ASK_AGAIN, again)

    if tracked.leader not in consumer.by_id:
        consumer.process.after(_ASK_AGAIN, again)
        return
    list_offsets(consumer, tracked.leader, [(tracked.topic, tracked.index, logical)], answered)


def list_offsets(
    consumer: "Consumer",
    leader: int,
    wanted: list[tuple[str, int, int]],
    answered: Callable[[int, list[tuple[int, int, int]]], None],
    timeout_ns: int | None = None,
) -> None:
    """Ask a leader for offsets by time; answered with (error, offset, epoch) in order."""
    topics: dict[str, list[ListOffsetsPartition]] = {}
    for topic, index, timestamp in wanted:
        part = ListOffsetsPartition(partition_index=index, timestamp=timestamp)
        topics.setdefault(topic, []).append(part)

    def take(code: int, response: Any) -> None:
        if response is None:
            answered(code, [])
            return
        found = {
            (topic.name, part.partition_index): (
                int(part.error_code),
                int(part.offset),
                int(part.leader_epoch),
            )
            for topic in response.topics
            for part in topic.partitions
        }
        answered(codes.NONE, [found[topic, index] for topic, index, _ in wanted])

    request = ListOffsetsRequest(
        replica_id=-1,
        isolation_level=consumer.settings.isolation,
        topics=tuple(
            ListOffsetsTopic(name=name, partitions=tuple(parts)) for name, parts in topics.items()
        ),
    )
    consumer.by_id[leader].request(request, take, timeout_ns)
