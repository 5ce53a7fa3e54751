"""The second look at the log: blocks of numbers on which it and a topic do not agree."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from reports.live.asked import Asked
from reports.live.folds import BLOCK, batches
from reports.live.logged import Logged
from reports.live.movements import movement_of
from reports.live.parts import Found
from reports.live.published import Published
from reports.live.replay import Replay
from reports.live.sent import place_of
from reports.live.sources import Cut, Sources
from reports.reconcile.codes import EVENTS_TOPIC, LOG, OPERATIONS_TOPIC, Kind, meaning
from system.records import EVENTS, OPERATIONS, LedgerRow, decode_event, decode_operation
from system.wal.frames import CommandFrame, EngineFrame
from system.wal.packing import Frame

Block = tuple[int, int]  # partition, number // BLOCK


class Side(NamedTuple):
    """What one side says under a number."""

    value: int  # the hash of its bytes
    asset_id: int
    delta: int
    at_ms: int
    user_id: int
    request_id: str
    place: str


class BlockDetails:
    """Compares suspected blocks record by record."""

    def __init__(self, sources: Sources, cut: Cut, logged: Logged) -> None:
        self.sources = sources
        self.cut = cut
        self.logged = logged
        self.unread = 0

    def look_at_inputs(self, asked: Asked) -> None:
        """Name what the operations topic and the log do not agree on."""
        for blocks in self._passes(self.logged.inputs.differing(asked.blocks, self._readable)):
            framed = self._framed(blocks, asked)
            for partition, number in sorted(blocks):
                low = max(number * BLOCK, asked.begin(partition))
                high = min((number + 1) * BLOCK, self.logged.next.get(partition, 0))
                high = min(high, self.cut.operations[partition].high)
                for entry in self.sources.operations(partition, low, high):
                    place = f"{OPERATIONS}/{partition}@{entry.offset}"
                    side = _asked(entry.value or b"", entry.timestamp_ms, place)
                    sides = framed.pop((partition, entry.offset), [])
                    self._input(side, sides)
            for _, sides in sorted(framed.items()):
                for side in sides:
                    self._accuse_input("orphan", side, side.delta, 1)

    def look_at_outputs(self, published: Published) -> None:
        """Name what the log and the events topic do not agree on."""
        differing = self.logged.sent.outputs.differing(published.blocks, self._readable)
        for blocks in self._passes(differing):
            sent = self._sent(blocks, published)
            for partition in sorted({partition for partition, _ in blocks}):
                self._against_events(partition, blocks, sent)
            for _, side in sorted(sent.items()):
                self._accuse_output("missing", side, -side.delta, -1 if side.asset_id else 0)

    @property
    def _readable(self) -> list[int]:
        return self.logged.partitions

    def _passes(self, blocks: list[Block]) -> list[set[Block]]:
        passes, unread = batches(blocks)
        self.unread += unread
        return passes

    def _frames(self) -> Iterator[tuple[Frame, CommandFrame | EngineFrame]]:
        for shard in sorted(self.cut.logs):
            if shard not in self.logged.damaged:
                for frame in self.sources.frames(shard):
                    body = frame.body
                    if isinstance(body, CommandFrame | EngineFrame):
                        yield frame, body

    def _framed(self, blocks: set[Block], asked: Asked) -> dict[tuple[int, int], list[Side]]:
        found: dict[tuple[int, int], list[Side]] = {}
        for frame, body in self._frames():
            if isinstance(body, EngineFrame):
                continue
            source = body.input
            key = source.partition, source.offset
            wanted = source.topic == OPERATIONS and (key[0], key[1] // BLOCK) in blocks
            if wanted and source.offset >= asked.begin(source.partition):
                side = _asked(body.command, body.created_at, place_of(frame))
                found.setdefault(key, []).append(side)
        return found

    def _input(self, side: Side, framed: list[Side]) -> None:
        if not framed:
            self._accuse_input("missing", side, -side.delta, -1)
            return
        first, *others = framed
        if first.value != side.value:
            if first.asset_id == side.asset_id:
                self._accuse_input("altered", first, first.delta - side.delta, 0)
            else:
                self._accuse_input("moved", side, -side.delta, -1)
                self._accuse_input("moved", first, first.delta, 1)
        for other in others:
            self._accuse_input("duplicate", other, other.delta, 1)

    def _accuse_input(self, kind: Kind, side: Side, amount: int, count: int) -> None:
        code, cause = meaning(OPERATIONS_TOPIC, LOG, kind, side.place)
        count = count if side.asset_id else 0
        self.logged.from_topic.accuse(_found(code, side, amount, count, cause))

    def _sent(self, blocks: set[Block], published: Published) -> dict[tuple[int, int], Side]:
        found: dict[tuple[int, int], Side] = {}
        for frame, body in self._frames():
            for output in body.outputs:
                numbers = published.replays[output.partition].numbers
                wanted = (output.partition, output.n // BLOCK) in blocks
                inside = numbers.first <= output.n <= numbers.last
                if output.topic == EVENTS and wanted and inside:
                    side = _told(output.value, body.created_at, f"{place_of(frame)} n {output.n}")
                    if found.setdefault((output.partition, output.n), side) is not side:
                        count = -1 if side.asset_id else 0
                        self._accuse_output("duplicate", side, -side.delta, count)
        return found

    def _against_events(
        self, partition: int, blocks: set[Block], sent: dict[tuple[int, int], Side]
    ) -> None:
        span = self.cut.events[partition]
        for _, arrived in Replay(self.sources, self.cut, partition).read(span.high):
            n = arrived.event.n
            if (partition, n // BLOCK) not in blocks or n < self.logged.sent.begins(partition):
                continue
            logged = sent.pop((partition, n), None)
            if logged is not None and logged.value == arrived.hashed:
                continue
            event = arrived.event
            row = event if isinstance(event, LedgerRow) else None
            side = Side(
                arrived.hashed,
                row.asset_id if row else 0,
                row.delta_avail + row.delta_frozen if row else 0,
                arrived.timestamp_ms,
                event.user_id,
                event.request_id,
                f"{EVENTS}/{partition}@{arrived.offset} n {n}",
            )
            self._output(side, logged)

    def _output(self, side: Side, logged: Side | None) -> None:
        if logged is None:
            self._accuse_output("orphan", side, side.delta, 1 if side.asset_id else 0)
        elif logged.asset_id == side.asset_id:
            self._accuse_output("altered", side, side.delta - logged.delta, 0)
        else:
            self._accuse_output("moved", logged, -logged.delta, -1 if logged.asset_id else 0)
            self._accuse_output("moved", side, side.delta, 1 if side.asset_id else 0)

    def _accuse_output(self, kind: Kind, side: Side, amount: int, count: int) -> None:
        code, cause = meaning(LOG, EVENTS_TOPIC, kind, side.place)
        self.logged.sent.to_events.accuse(_found(code, side, amount, count, cause))


def _found(code: str, side: Side, amount: int, count: int, cause: str) -> Found:
    who = side.user_id, side.request_id, side.place
    return Found(code, side.asset_id, amount, count, side.at_ms, *who, cause)


def _asked(value: bytes, at_ms: int, place: str) -> Side:
    try:
        asked, command = movement_of(value), decode_operation(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Side(hash(value), 0, 0, at_ms, 0, "", place)
    who = command.user_id, command.request_id, place
    return Side(hash(value), asked.asset_id, asked.delta, at_ms, *who)


def _told(value: bytes, at_ms: int, place: str) -> Side:
    event = decode_event(value)
    who = event.user_id, event.request_id, place
    if not isinstance(event, LedgerRow):
        return Side(hash(value), 0, 0, at_ms, *who)
    return Side(hash(value), event.asset_id, event.delta_avail + event.delta_frozen, at_ms, *who)
