"""The log of one partition: segments of record batches, dense offsets, leader epochs, retention.

**Faithful** (`UnifiedLog.java`, `LogSegment.java`): batches are kept and read whole, so a read
starts with the batch that holds the wanted offset; segments roll by size and by age of their first
record; retention deletes whole segments, the oldest first, by the largest timestamp in them and
by size, also the last one if all of it is due; DeleteRecords moves the log start inside a segment,
and a kill moves it back to where it was noted last, if what lies before is still there; a search by
time looks for the first record that is not older, as timestamps may go back.
A record can be damaged on its drive, on request: what was acknowledged is then not what is read,
or its offset is empty, as a cleaner leaves it (the batch that held the record still ends where it
did), or the next record takes it, as after an election of a replica that lagged.
**Simplified**: one replica, so the high watermark is the end of the log; the log survives power
loss in full but for that; no compaction, no tiered storage; what producers are known to have sent
is not forgotten with a record that is lost, until the broker starts again.
"""

from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from sim.kafka.batch import Batch, Headers
from sim.kafka.cluster.configs import TopicConfig
from sim.kafka.cluster.epochs import LeaderEpochs
from sim.kafka.cluster.producers import Producers


class LogRecord(NamedTuple):
    """One record as it stands in a log."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_ms: int
    leader_epoch: int


class Found(NamedTuple):
    """Where a search by time ended."""

    offset: int
    timestamp: int
    leader_epoch: int


class Segment:
    """Batches that are deleted together."""

    __slots__ = ("base_offset", "bases", "batches", "created", "max_timestamp", "size")

    def __init__(self, base_offset: int) -> None:
        self.base_offset = base_offset
        self.batches: list[Batch] = []
        self.bases: list[int] = []
        self.size = 0
        self.created = -1  # timestamp of its first batch
        self.max_timestamp = -1


class Log:
    """A partition's batches and what can be derived from them."""

    __slots__ = (
        "_segments",
        "config",
        "end",
        "epochs",
        "kept",
        "producers",
        "size",
        "start",
        "topic_id",
    )

    def __init__(self, topic_id: object, config: TopicConfig) -> None:
        self.topic_id = topic_id
        self.config = config
        self.start = 0
        self.kept = 0  # where the log starts after a kill
        self.end = 0
        self.size = 0
        self.epochs = LeaderEpochs()
        self.producers = Producers()
        self._segments = [Segment(0)]

    def append(self, batch: Batch) -> None:
        """Append a batch that was placed at `end`."""
        self.segment_for(batch)
        self._take(batch)

    def segment_for(self, batch: Batch) -> Segment:
        """Return the segment that `batch` goes to; it is a new one if the last one is full."""
        segment = self._segments[-1]
        if segment.batches and self._full(segment, batch):
            segment = Segment(self.end)
            self._segments.append(segment)
        return segment

    def _take(self, batch: Batch) -> None:
        """Put a batch at the end of the last segment."""
        assert batch.base_offset == self.end
        segment = self._segments[-1]
        self.epochs.begin(batch.leader_epoch, self.end)
        if not segment.batches:
            segment.created = batch.max_timestamp
        segment.batches.append(batch)
        segment.bases.append(self.end)
        segment.size += batch.size
        self.size += batch.size
        segment.max_timestamp = max(segment.max_timestamp, batch.max_timestamp)
        self.end += batch.count

    def read(self, offset: int, max_bytes: int, *, at_least_one: bool) -> list[Batch]:
        """Return the batches from the one that holds `offset`, as many as fit.

        They are of one segment, however much room there is left (`LocalLog.read`).
        """
        found: list[Batch] = []
        for batch in self._segment_from(offset):
            if batch.last_offset < offset:  # what held it is lost
                continue
            max_bytes -= batch.size
            if max_bytes < 0 and not (at_least_one and not found):
                break
            found.append(batch)
        return found

    def bytes_from(self, offset: int, enough: int) -> int:
        """Return how many bytes there are from `offset`; stop counting at `enough`."""
        total = 0
        for batch in self._batches_from(offset):
            if batch.last_offset < offset:
                continue
            total += batch.size
            if total >= enough:
                break
        return total

    def record(self, offset: int) -> LogRecord:
        """Return the record at `offset`, which must be there."""
        _, _, batch, at = self._place(offset)
        return _seen(batch, at)

    def alter(self, offset: int, value: bytes, *, stale: bool = False) -> None:
        """Let a record read as `value` from now on; `stale` leaves the checksum as it was."""
        segment, index, batch, at = self._place(offset)
        key, _, headers, time = batch.records[at]
        changed = (*batch.records[:at], (key, value, headers, time), *batch.records[at + 1 :])
        altered = batch.part(changed, 0)
        altered.stale = altered.stale or stale
        self._put(segment, index, [altered])

    def lose(self, offset: int) -> None:
        """Let a record be gone; its offset stays empty."""
        segment, index, batch, at = self._place(offset)
        before, after = batch.records[:at], batch.records[at + 1 :]
        parts = [batch.part(before, 0)] if before else []
        parts.append(batch.part(after, at + 1) if after else batch.emptied(at))
        self._put(segment, index, parts)

    def close_up(self, offset: int) -> None:
        """Let a record of the last batch be gone; those behind it take its offset."""
        segment, index, batch, at = self._place(offset)
        assert batch.last_offset == self.end - 1, "only the end of a log can be cut"
        left = (*batch.records[:at], *batch.records[at + 1 :])
        self._put(segment, index, [batch.part(left, 0)] if left else [])
        self.end -= 1

    def _place(self, offset: int) -> tuple[Segment, int, Batch, int]:
        """Return where a record is: its segment, its batch's number there, its number in it."""
        at, index = self._find(offset)
        batch = self._segments[at].batches[index]
        assert batch.base_offset <= offset <= batch.last_offset, f"there is no record at {offset}"
        return self._segments[at], index, batch, offset - batch.base_offset

    def _put(self, segment: Segment, index: int, parts: list[Batch]) -> None:
        """Put `parts` in the place of a batch."""
        grown = sum(part.size for part in parts) - segment.batches[index].size
        segment.batches[index : index + 1] = parts
        segment.bases = [batch.base_offset for batch in segment.batches]
        segment.size += grown
        self.size += grown

    def records(self, first: int = 0) -> Iterator[LogRecord]:
        """Yield every record from the log start, or from `first` where that is later."""
        first = max(first, self.start)
        for batch in self._batches_from(first):
            for at in range(max(first - batch.base_offset, 0), len(batch.records)):
                yield _seen(batch, at)

    def batches(self) -> Iterator[Batch]:
        """Yield every batch from the one that holds the log start."""
        return self._batches_from(self.start)

    def first_since(self, timestamp: int) -> Found | None:
        """Return the first record that is not older than `timestamp`."""
        for segment in self._segments:
            if segment.max_timestamp < timestamp:
                continue
            for batch in segment.batches:
                if batch.max_timestamp < timestamp or batch.last_offset < self.start:
                    continue
                for offset, record in enumerate(batch.records, batch.base_offset):
                    time = batch.timestamp(record)
                    if time >= timestamp and offset >= self.start:
                        return Found(offset, time, batch.leader_epoch)
        return None

    def newest(self) -> Found | None:
        """Return the first of the records with the largest timestamp (KIP-734).

        It may lie below the log start, in a segment that is still there.
        """
        every = [batch for segment in self._segments for batch in segment.batches]
        batches = [batch for batch in every if batch.records]
        if not batches:
            return None
        batch = max(batches, key=lambda each: each.max_timestamp)
        times = [batch.timestamp(record) for record in batch.records]
        newest = max(times)
        return Found(batch.base_offset + times.index(newest), newest, batch.leader_epoch)

    def delete_until(self, offset: int) -> None:
        """Let the log start at `offset`, for good; segments that end before it go."""
        self.start_at(offset)
        self.kept = max(self.kept, offset)
        self.drop_deleted()

    def drop_deleted(self) -> None:
        """Let segments go that end before the start of the log, whether that is noted or not."""
        while len(self._segments) > 1 and self._segments[1].base_offset <= self.start:
            self.size -= self._segments.pop(0).size

    def start_at(self, offset: int) -> None:
        """Let the log start at `offset`; what lies before it stays on the drive for now."""
        self.start = max(self.start, offset)
        self.epochs.start_at(self.start)

    def retain(self, now_ms: int) -> bool:
        """Delete the segments whose time is over; return whether the log start moved."""
        old, config = self.start, self.config
        self.drop_deleted()
        if config.retention_ms >= 0:
            due = 0
            for segment in self._segments:
                if not segment.batches or now_ms - segment.max_timestamp <= config.retention_ms:
                    break
                due += 1
            self._drop(due)
        if config.retention_bytes >= 0:
            excess, due = self.size - config.retention_bytes, 0
            for segment in self._segments:
                excess -= segment.size
                if excess < 0 or not segment.batches:
                    break
                due += 1
            self._drop(due)
        return self.start != old

    def recover(self) -> None:
        """Come back after a kill: the start is where it was noted, producers are those on disk."""
        self.start = max(self.kept, self._segments[0].base_offset)
        self.producers = Producers(self.batches())

    def _drop(self, count: int) -> None:
        if count == len(self._segments):
            self._segments.append(Segment(self.end))
        if count:
            self.delete_until(self._segments[count].base_offset)

    def _full(self, segment: Segment, batch: Batch) -> bool:
        size, age = segment.size + batch.size, batch.max_timestamp - segment.created
        return size > self.config.segment_bytes or age > self.config.segment_ms

    def _segment_from(self, offset: int) -> Iterator[Batch]:
        at, first = self._find(offset)
        batches = self._segments[at].batches
        while at + 1 < len(self._segments) and not (batches and batches[-1].last_offset >= offset):
            at, first = at + 1, 0
            batches = self._segments[at].batches
        for index in range(first, len(batches)):
            yield batches[index]

    def _find(self, offset: int) -> tuple[int, int]:
        """Return which segment holds `offset`, and which of its batches."""
        segments = self._segments
        at = len(segments) - 1
        while at > 0 and segments[at].base_offset > offset:
            at -= 1
        return at, max(bisect_right(segments[at].bases, offset) - 1, 0)

    def _batches_from(self, offset: int) -> Iterator[Batch]:
        at, first = self._find(offset)
        for segment in self._segments[at:]:
            batches = segment.batches
            for index in range(first, len(batches)):
                yield batches[index]
            first = 0


def _seen(batch: Batch, at: int) -> LogRecord:
    """Return the record with number `at` of a batch as a consumer sees it."""
    key, value, headers, _ = record = batch.records[at]
    time = batch.timestamp(record)
    return LogRecord(batch.base_offset + at, key, value, headers, time, batch.leader_epoch)
