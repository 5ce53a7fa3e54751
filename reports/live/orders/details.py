"""The second look at orders: blocks of numbers on which topics and logs do not agree."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeVar

from reports.fills import Move
from reports.live.folds import BLOCK, batches
from reports.live.orders.applied import Applied
from reports.live.orders.emitted import Due, Emitted
from reports.live.orders.homes import net
from reports.live.orders.passed import Order, Passed
from reports.live.parts import Found, Parts
from reports.live.sources import Cut, Sources
from reports.reconcile.codes import LOG, ORDERS_TOPIC, OUTPUTS_TOPIC, Kind, meaning
from system.records import ORDERS, decode_output, decode_validated
from system.wal.frames import CommandFrame, EngineFrame
from system.wal.packing import Frame

L = TypeVar("L", int, tuple[int, int])


class Side(NamedTuple):
    """What one side says under a number: what it does, who asked for it, and where it stands.

    What it does is how much it moves of each asset, by how many changes.
    """

    hashed: int
    moves: tuple[tuple[int, int, int], ...]
    at_ms: int
    user_id: int
    request_id: str
    place: str


class OrderDetails:
    """Compares suspected blocks record by record."""

    def __init__(self, sources: Sources, cut: Cut, emitted: Emitted, readable: list[int]) -> None:
        self.sources = sources
        self.cut = cut
        self.emitted = emitted
        self.readable = readable
        self.unread = 0

    # -- the engine's outputs and the logs -------------------------------------------------------

    def look_at_applied(self, applied: Applied) -> None:
        """Name the outputs that a log did not take in, twice, or otherwise."""
        lanes = {lane for lane, _ in (*self.emitted.blocks.folds, *applied.blocks.folds)}
        own = [lane for lane in lanes if lane[0] in self.readable]
        for blocks in self._passes(self.emitted.blocks.differing(applied.blocks, own)):
            self._compare_applied(applied, blocks)

    def _compare_applied(self, applied: Applied, blocks: set[tuple[tuple[int, int], int]]) -> None:
        emitted = dict(self._emitted(blocks))
        known = set()
        for key, side in self._framed(blocks):
            if key[1] < self.emitted.first(key[0][1]):
                continue
            there = emitted.get(key)
            if key in known or there is None:
                kind: Kind = "orphan" if there is None else "duplicate"
                _accuse(applied.parts, kind, side, 1)
            elif there.hashed != side.hashed:
                _accuse(applied.parts, "altered", side, 1)
                _accuse(applied.parts, "altered", there, -1)
            known.add(key)
        for key, side in sorted(emitted.items()):
            if key not in known and applied.here(*key):
                _accuse(applied.parts, "missing", side, -1)

    def _emitted(
        self, blocks: set[tuple[tuple[int, int], int]]
    ) -> Iterator[tuple[tuple[tuple[int, int], int], Side]]:
        for partition, span in sorted(self.cut.outputs.items()):
            for due in self.emitted.walk(partition).read(span.low, span.high):
                for shard, these in self.emitted.homes.concerned(due.record).items():
                    key = (shard, due.record.symbol_id), due.record.output_seq
                    if _within(key, blocks):
                        yield key, _side(due, these)

    def _framed(
        self, blocks: set[tuple[tuple[int, int], int]]
    ) -> Iterator[tuple[tuple[tuple[int, int], int], Side]]:
        for shard, frame in self._frames():
            body = frame.body
            if not isinstance(body, EngineFrame):
                continue
            output = decode_output(body.value)
            key = (shard, output.symbol_id), output.output_seq
            if _within(key, blocks):
                these = self.emitted.homes.concerned(output).get(shard, [])
                who = output.user_id, output.request_id, _place(frame)
                yield key, Side(hash(body.value), tuple(net(these)), body.created_at, *who)

    # -- the logs and the orders topic -----------------------------------------------------------

    def look_at_passed(self, passed: Passed) -> None:
        """Name the orders that the engine is told otherwise than the log says."""
        lanes = {lane for lane, _ in (*passed.blocks.folds, *passed.logged.folds)}
        own = [lane for lane in lanes if lane[1] in self.readable]
        for blocks in self._passes(passed.logged.differing(passed.blocks, own)):
            self._compare_passed(passed, blocks)

    def _compare_passed(self, passed: Passed, blocks: set[tuple[tuple[int, int], int]]) -> None:
        logged = {key: side for key, side in self._sent() if _within(key, blocks)}
        for partition in sorted(self.cut.orders):
            for order in passed.walk(partition):
                key = (partition, order.record.shard), order.record.n
                if not _within(key, blocks) or key[1] < passed.logged_from(key[0]):
                    continue
                there = logged.get(key)
                if there is None:
                    _accuse_order(passed.from_log, "orphan", order, 1)
                elif there.hashed != order.hashed:
                    _accuse_order(passed.from_log, "altered", order, 0)

    def _sent(self) -> Iterator[tuple[tuple[tuple[int, int], int], Side]]:
        for _, frame in self._frames():
            body = frame.body
            if not isinstance(body, CommandFrame):
                continue
            for output in body.outputs:
                if output.topic == ORDERS:
                    record = decode_validated(output.value)
                    who = record.user_id, record.request_id, _place(frame)
                    side = Side(hash(output.value), (), body.created_at, *who)
                    yield ((output.partition, record.shard), output.n), side

    # -- the orders topic and the engine's outputs -----------------------------------------------

    def look_at_answers(self, passed: Passed) -> None:
        """Name the orders that have no output, and the outputs that answer no order."""
        asked, answers = passed.asked, self.emitted.answers
        partitions = sorted(self.cut.orders)
        for blocks in self._passes(answers.differing(asked, partitions)):
            self._compare_answers(passed, blocks)

    def _compare_answers(self, passed: Passed, blocks: set[tuple[int, int]]) -> None:
        answered = self._answered(blocks)
        for partition in sorted(self.cut.orders):
            for order in passed.walk(partition):
                key = partition, order.offset
                if not _within(key, blocks) or not passed.due(partition, order.offset):
                    continue
                answer = answered.pop(key, None)
                if answer is None:
                    _accuse_order(passed.to_outputs, "missing", order, -1)
                elif not _answers(answer, order):
                    _accuse_order(passed.to_outputs, "altered", order, 0)
        for _, (_, side) in sorted(answered.items()):
            code, cause = meaning(ORDERS_TOPIC, OUTPUTS_TOPIC, "orphan", side.place)
            who = side.user_id, side.request_id, side.place
            passed.to_outputs.accuse(Found(code, 0, 0, 1, side.at_ms, *who, cause))

    def _answered(self, blocks: set[tuple[int, int]]) -> dict[tuple[int, int], tuple[str, Side]]:
        """Return the outputs in some blocks, each with the order that it says it answers.

        They are named by the place at which that order lies.
        """
        found = {}
        for partition, span in sorted(self.cut.outputs.items()):
            high = self.cut.answers.get(partition, span.low)
            for due in self.emitted.walk(partition).read(span.low, high):
                source = due.record.source
                key = source.partition, source.offset
                if _within(key, blocks):
                    found[key] = due.record.order_id, _side(due, ())
        return found

    # -- both ------------------------------------------------------------------------------------

    def _frames(self) -> Iterator[tuple[int, Frame]]:
        for shard in self.readable:
            for frame in self.sources.frames(shard):
                yield shard, frame

    def _passes(self, blocks: list[tuple[L, int]]) -> list[set[tuple[L, int]]]:
        passes, unread = batches(blocks)
        self.unread += unread
        return passes


def _within(key: tuple[L, int], blocks: set[tuple[L, int]]) -> bool:
    lane, number = key
    return (lane, number // BLOCK) in blocks


def _answers(answer: tuple[str, Side], order: Order) -> bool:
    order_id, side = answer
    return (side.request_id, order_id) == (order.record.request_id, order.record.order_id)


def _side(due: Due, these: Iterable[Move]) -> Side:
    output = due.record
    who = output.user_id, output.request_id, due.place
    return Side(due.hashed, tuple(net(these)), due.timestamp_ms, *who)


def _place(frame: Frame) -> str:
    return f"{frame.file}@{frame.offset} (LSN {frame.lsn})"


def _accuse(parts: Parts, kind: Kind, side: Side, sign: int) -> None:
    """Accuse an output, once for each asset that it moves; one that moves nothing, once."""
    code, cause = meaning(OUTPUTS_TOPIC, LOG, kind, side.place)
    who = side.user_id, side.request_id, side.place
    for asset, amount, count in side.moves or ((0, 0, 0),):
        found = Found(code, asset, sign * amount, sign * count, side.at_ms, *who, cause)
        parts.accuse(found)


def _accuse_order(parts: Parts, kind: Kind, order: Order, count: int) -> None:
    code, cause = meaning(parts.before, parts.after, kind, order.place)
    record = order.record
    who = record.user_id, record.request_id, order.place
    parts.accuse(Found(code, 0, 0, count, order.timestamp_ms, *who, cause))
