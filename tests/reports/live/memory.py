"""The streams of a deployment, out of lists that a test made and damaged."""

from collections.abc import Iterator
from typing import Any

import msgspec

from reports.case import COLUMNS
from reports.evidence import Row, TopicRecord
from reports.live.outcome import Outcome
from reports.live.reconciling import reconcile
from reports.live.sources import Account, Answer, Bounds, Cells, Cut, Entry, Settled, Span
from reports.live.waivers import Waiver
from reports.shown import Shown
from system.records import EVENTS, OPERATIONS, ORDERS, OUTPUTS, decode_event
from system.wal.packing import HEADER_BYTES, Frame, unpack
from tests.reports.build import EPOCH_MS, MS, PARTITIONS, Build, log_files

change = msgspec.structs.replace


class Memory:
    """A `Build` as sources: everything settled, unless `settled` says otherwise."""

    def __init__(self, build: Build, *, settled: dict[int, int] | None = None) -> None:
        self.build = build
        self.settled = settled
        self.logs: dict[int, tuple[int, ...]] = {1: tuple(range(PARTITIONS))}
        self.age_ms = 0
        self.low: dict[str, int] = {}
        self.bounds = Bounds()
        self.metadata: dict[int, dict[int, int] | None] = {}
        self.lsn_min = 1  # what was below is cut off
        self.lsn_max: int | None = None
        self.later: dict[int, int] = {}  # where the events end once the tables are read
        ends = self.build.offsets
        self.high = {(t, p): ends.get((t, p), 0) for t in (OPERATIONS, EVENTS) for p in range(4)}

    def reconcile(self, *waivers: Waiver) -> Outcome:
        return reconcile(self, self.bounds, waivers)

    # -- sources -------------------------------------------------------------------------------

    def cut(self) -> Cut:
        now = EPOCH_MS + self.build.now // MS
        newest = max((r.timestamp_ms for r in self.build.records), default=now)
        settled = {
            p: Settled(
                self.high[EVENTS, p] if self.settled is None else self.settled.get(p, 0),
                self.metadata.get(p, {1: self._next_n(p)}),
            )
            for p in range(PARTITIONS)
        }
        return Cut(
            at_ms=newest + self.age_ms,
            operations=self._spans(OPERATIONS),
            events=self._spans(EVENTS),
            settled=settled,
            logs=self.logs,
        )

    def _spans(self, topic: str) -> dict[int, Span]:
        low = self.low.get(topic, 0)
        return {
            p: Span(min(low, self.high[topic, p]), self.high[topic, p]) for p in range(PARTITIONS)
        }

    def _next_n(self, partition: int) -> int:
        high = self.high[EVENTS, partition]
        settled = high if self.settled is None else self.settled.get(partition, 0)
        found = (decode_event(e.value or b"") for e in self.events(partition, 0, settled))
        if self.settled is None:
            return self.build.numbers.get(partition, 0) + 1
        return max((event.n for event in found), default=0) + 1

    def ends(self) -> dict[int, int]:
        return {p: self.later.get(p, self.high[EVENTS, p]) for p in range(PARTITIONS)}

    def operations(self, partition: int, low: int, high: int) -> Iterator[Entry]:
        return self._entries(OPERATIONS, partition, low, high)

    def events(self, partition: int, low: int, high: int) -> Iterator[Entry]:
        return self._entries(EVENTS, partition, low, high)

    def _entries(self, topic: str, partition: int, low: int, high: int) -> Iterator[Entry]:
        records: list[TopicRecord] = self.build.records
        found = [r for r in records if r.topic == topic and r.partition == partition]
        for record in sorted(found, key=lambda r: r.offset):
            if low <= record.offset < high:
                yield Entry(record.offset, record.timestamp_ms, record.value)

    def frames(self, shard: int) -> Iterator[Frame]:
        ((name, data),) = log_files(self.build.bodies).items()
        offset = HEADER_BYTES
        while frame := unpack(name, data, offset):
            if self.lsn_max is not None and frame.lsn > self.lsn_max:
                return
            if frame.lsn >= self.lsn_min:
                yield frame
            offset += frame.size

    def orders(self, partition: int, low: int, high: int) -> Iterator[Entry]:
        return self._entries(ORDERS, partition, low, high)

    def outputs(self, partition: int, low: int, high: int) -> Iterator[Entry]:
        return self._entries(OUTPUTS, partition, low, high)

    def output_ends(self) -> dict[int, int]:
        return {}

    def shown(self) -> Iterator[Shown]:
        return iter(())

    def ledger(self) -> Iterator[Cells]:
        rows: list[Row] = self.build.rows
        yield from map(_cells, sorted(rows, key=lambda r: (r.user_id, r.asset_id, -r.seq)))

    def ledger_of(self, account: Account) -> Iterator[Cells]:
        return (cells for cells in self.ledger() if cells[:2] == account)

    def requests(self) -> Iterator[Answer]:
        for r in self.build.requests:
            yield Answer(
                *(r.user_id, r.request_id, r.body_hash, r.decision, r.reason),
                *(r.effects, r.outcome, r.expired),
            )

    def users_assets(self) -> Iterator[Account]:
        return ((a.user_id, a.asset_id) for a in self.build.accounts)


def _cells(row: Row) -> Any:
    return tuple(getattr(row, column) for column in COLUMNS)
