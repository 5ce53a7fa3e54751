"""Reading the logs: what was decided, what its legs are, and which records it sent out."""

import msgspec

from reports.breaks import Break
from reports.live.folds import Blocks, hash_numbered
from reports.live.listed import Listed
from reports.live.movements import NO_MOVEMENT, Movement, movement_of
from reports.live.orders.trading import Trading
from reports.live.parts import Found, Parts, Tally
from reports.live.published import Published
from reports.live.replay import undecodable
from reports.live.sent import Sent, Subject, found_in, gone, place_of
from reports.live.sources import Bounds, Cut, Sources
from reports.reconcile.codes import LOG, OPERATIONS_TOPIC, meaning
from system.errors import Stop
from system.records import (
    OPERATIONS,
)
from system.wal.frames import CommandFrame, EngineFrame, LinkFrame, PositionFrame
from system.wal.packing import Frame


class Logged:
    """The logs as of the cut, between the two topics."""

    def __init__(self, sources: Sources, cut: Cut, bounds: Bounds, trading: Trading) -> None:
        self.sources = sources
        self.cut = cut
        self.bounds = bounds
        self.trading = trading
        self.tally = Tally(LOG, "LSN")
        self.inputs: Blocks[int] = Blocks()
        self.from_topic = Parts(OPERATIONS_TOPIC, LOG, cut.at_ms, bounds.breaks_max)
        self.sent = Sent(cut, bounds, trading, self.tally)
        self.first: dict[int, int] = {}  # the first input offset of each partition
        self.next: dict[int, int] = {}  # the offset after the last framed one
        self.repeats: dict[int, int] = {}  # per asset, commands that were decided before
        self.repeated = 0
        self.deposits: dict[int, int] = {}
        self.withdrawals: dict[int, int] = {}
        self.traded: dict[int, int] = {}
        self.breaks = Listed(bounds.breaks_max, "breaks in the logs")
        self.damaged: dict[int, str] = {}
        self.cut_off = False  # whether a log begins above LSN 1: older frames are gone
        self.checked = 0

    @property
    def partitions(self) -> list[int]:
        """The partitions whose log is at hand and readable."""
        return sorted(
            partition
            for shard, owned in self.cut.logs.items()
            if shard not in self.damaged
            for partition in owned
        )

    @property
    def readable(self) -> list[int]:
        """The shards whose log is at hand and readable."""
        return sorted(set(self.cut.logs) - self.damaged.keys())

    def read(self, published: Published) -> None:
        """Read all logs up to the cut."""
        for shard in sorted(self.cut.logs):
            name = f"shard {shard}" if len(self.cut.logs) > 1 else ""
            first = last = 0
            try:
                for frame in self.sources.frames(shard):
                    last = frame.lsn
                    first = first or last
                    if last == first > 1:
                        self.trading.unlocked(shard)
                    self._frame(shard, frame, published)
            except Stop as stop:
                self.damaged[shard] = stop.message
                self.breaks.add(_damage(shard, stop))
            if first:
                self.tally.reach(name, first, last)
                self.cut_off = self.cut_off or first > 1

    def _frame(self, shard: int, frame: Frame, published: Published) -> None:
        self.checked += 1
        body = frame.body
        try:
            if isinstance(body, CommandFrame):
                about = Subject(body.created_at, body.user_id, body.request_id)
                self._decided(frame, body)
                self.sent.take(frame, body, about, published)
                self.trading.placed(shard, frame, body)
            elif isinstance(body, EngineFrame):
                about = Subject(body.created_at, *self.trading.cause_of(body))
                self._trade(body)
                rows = self.sent.take(frame, body, about, published)
                self.trading.filled(shard, frame, body, rows)
            elif isinstance(body, PositionFrame):
                self._reached(shard, body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self.breaks.add(undecodable(place_of(frame), error))

    def _reached(self, shard: int, body: PositionFrame) -> None:
        """Take in how far a shard has come, also where nothing was asked for long."""
        for position in body.positions:
            if position.topic == OPERATIONS:
                self.first.setdefault(position.partition, position.next_offset)
                known = self.next.get(position.partition, 0)
                self.next[position.partition] = max(known, position.next_offset)
        if isinstance(body, LinkFrame):
            self.trading.reached(shard, body)

    def _decided(self, frame: Frame, body: CommandFrame) -> None:
        """Compare a decision with its command."""
        source = body.input
        asked = NO_MOVEMENT
        if source.topic == OPERATIONS:
            self.first.setdefault(source.partition, source.offset)
            self.next[source.partition] = max(self.next.get(source.partition, 0), source.offset + 1)
            hashed = hash_numbered(source.offset, hash(body.command))
            self.inputs.add(source.partition, source.offset, hashed)
            asked = movement_of(body.command)
        if not asked.asset_id:
            self._trade(body)
        elif source.offset < self.cut.operations[source.partition].low:
            self.from_topic.explain(gone(asked.asset_id, asked.delta, 1))
        if asked.asset_id:
            self._transfer(frame, body, asked)

    def _trade(self, body: CommandFrame | EngineFrame) -> None:
        for leg in body.legs:
            delta = leg.delta_avail + leg.delta_frozen
            self.traded[leg.asset_id] = self.traded.get(leg.asset_id, 0) + delta
            cause = "legs of orders and fills: no transfer asked for them"
            self.from_topic.explain(Found("TRADED", leg.asset_id, delta, 1, None, cause=cause))

    def _transfer(self, frame: Frame, body: CommandFrame, asked: Movement) -> None:
        asset, delta = asked.asset_id, asked.delta
        if body.decision == "duplicate":
            self.repeated += 1
            self.repeats[asset] = self.repeats.get(asset, 0) + delta
            self._legs(frame, body, asset, 0)
        elif body.decision == "rejected":
            reason = body.reason or "no reason"
            rejected = Found("REJECTED", asset, -delta, -1, body.created_at, cause=reason)
            self.from_topic.explain(rejected)
            self._legs(frame, body, asset, 0)
        else:
            side = self.deposits if delta > 0 else self.withdrawals
            side[asset] = side.get(asset, 0) + abs(delta)
            self._legs(frame, body, asset, delta)

    def _legs(self, frame: Frame, body: CommandFrame, asset: int, delta: int) -> None:
        """Accuse legs that are not what the decision about this command owes."""
        wrong = {asset: -delta}
        for leg in body.legs:
            change = leg.delta_avail + leg.delta_frozen
            wrong[leg.asset_id] = wrong.get(leg.asset_id, 0) + change
        surplus = len(body.legs) - (1 if delta else 0)
        for moved, amount in sorted(wrong.items()):
            if amount or surplus:
                _, cause = meaning(OPERATIONS_TOPIC, LOG, "altered")
                about = Subject(body.created_at, body.user_id, body.request_id)
                self.from_topic.accuse(
                    found_in(about, "LEGS_DIFFER", moved, amount, surplus, place_of(frame), cause)
                )
                surplus = 0


def _damage(shard: int, stop: Stop) -> Break:
    return Break(
        invariant="I18",
        code="LOG_DAMAGED",
        where=f"log of shard {shard}",
        expected="a log that can be read to its end",
        found=str(stop),
        cause="what was decided behind the damage cannot be reconciled",
    )
