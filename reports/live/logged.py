"""Reading the logs: what was decided, what its legs are, and which records it sent out."""

from itertools import zip_longest

import msgspec

from reports.breaks import Break
from reports.live.folds import Blocks, hash_numbered
from reports.live.parts import Found, Parts, Tally
from reports.live.published import Published
from reports.live.replay import undecodable
from reports.live.sources import Bounds, Cut, Sources
from reports.reconcile.codes import EVENTS_TOPIC, LOG, OPERATIONS_TOPIC, meaning
from system.errors import Stop
from system.records import (
    EVENTS,
    OPERATIONS,
    Deposit,
    LedgerRow,
    Withdraw,
    decode_event,
    decode_operation,
)
from system.wal.frames import CommandFrame, Frame, Leg, Output


class Movement(msgspec.Struct, gc=False):
    """A transfer as its command words it; asset 0: the command is none."""

    asset_id: int
    delta: int


NO_MOVEMENT = Movement(0, 0)


def movement_of(value: bytes) -> Movement:
    """Return what a command asks for; commands that trade move nothing by themselves."""
    command = decode_operation(value)
    if isinstance(command, Deposit):
        return Movement(command.asset_id, command.amount)
    if isinstance(command, Withdraw):
        return Movement(command.asset_id, -command.amount)
    return NO_MOVEMENT


class Logged:
    """The logs as of the cut, between the two topics."""

    def __init__(self, sources: Sources, cut: Cut, bounds: Bounds) -> None:
        self.sources = sources
        self.cut = cut
        self.bounds = bounds
        self.tally = Tally(LOG, "LSN")
        self.inputs = Blocks()
        self.outputs = Blocks()
        self.from_topic = Parts(OPERATIONS_TOPIC, LOG, cut.at_ms, bounds.breaks_max)
        self.to_events = Parts(LOG, EVENTS_TOPIC, cut.at_ms, bounds.breaks_max)
        self.first: dict[int, int] = {}  # the first input offset of each partition
        self.next: dict[int, int] = {}  # the offset after the last framed one
        self.repeats: dict[int, int] = {}  # per asset, commands that were decided before
        self.repeated = 0
        self.deposits: dict[int, int] = {}
        self.withdrawals: dict[int, int] = {}
        self.traded: dict[int, int] = {}
        self.breaks: list[Break] = []
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

    def read(self, published: Published) -> None:
        """Read all logs up to the cut."""
        for shard in sorted(self.cut.logs):
            name = f"shard {shard}" if len(self.cut.logs) > 1 else ""
            first = last = 0
            try:
                for frame in self.sources.frames(shard):
                    last = frame.lsn
                    first = first or last
                    self._frame(frame, published)
            except Stop as stop:
                self.damaged[shard] = stop.message
                self.breaks.append(_damage(shard, stop))
            if first:
                self.tally.reach(name, first, last)
                self.cut_off = self.cut_off or first > 1

    def _frame(self, frame: Frame, published: Published) -> None:
        self.checked += 1
        body = frame.body
        if not isinstance(body, CommandFrame):
            return
        try:
            self._decided(frame, body)
            legs = list(body.legs)
            for output in body.outputs:
                if output.topic == EVENTS:
                    self._sent(frame, body, output, legs, published)
            self._same(frame, body, legs, [])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self.breaks.append(undecodable(place_of(frame), error))

    def _decided(self, frame: Frame, body: CommandFrame) -> None:
        """Compare a decision with its command."""
        for leg in body.legs:
            self.tally.add(leg.asset_id, leg.delta_avail + leg.delta_frozen)
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
            self.from_topic.explain(_gone(asked.asset_id, asked.delta, 1))
        if asked.asset_id:
            self._transfer(frame, body, asked)

    def _trade(self, body: CommandFrame) -> None:
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
                self.from_topic.accuse(
                    _about(body, "LEGS_DIFFER", moved, amount, surplus, place_of(frame), cause)
                )
                surplus = 0

    def _sent(
        self,
        frame: Frame,
        body: CommandFrame,
        output: Output,
        legs: list[Leg],
        published: Published,
    ) -> None:
        """Take in a record for the events topic; it is on its way, gone, or must be there."""
        event = decode_event(output.value)
        leg = legs.pop(0) if isinstance(event, LedgerRow) and legs else None
        numbers = published.replays[output.partition].numbers
        if output.n < numbers.first:
            if leg is not None:
                gone = _gone(leg.asset_id, -(leg.delta_avail + leg.delta_frozen), -1)
                self.to_events.explain(gone)
            return
        if output.n > numbers.last:
            if leg is not None:
                delta = leg.delta_avail + leg.delta_frozen
                waiting = "ubscore has not published it"
                where = f"{place_of(frame)} n {output.n}"
                late = _about(body, "", leg.asset_id, -delta, -1, where, waiting)
                self.to_events.late(late, self.bounds.max_age_ms)
            return
        hashed = hash_numbered(output.n, hash(output.value))
        self.outputs.add(output.partition, output.n, hashed)
        row = event if isinstance(event, LedgerRow) else None
        self._same(frame, body, [leg] if leg else [], [row] if row else [])

    def _same(
        self, frame: Frame, body: CommandFrame, legs: list[Leg], rows: list[LedgerRow]
    ) -> None:
        """Accuse a record that does not say what its leg says."""
        for leg, row in zip_longest(legs, rows):
            if leg is not None and row is not None and _says(leg) == _says(row):
                continue
            moved: dict[int, int] = {}
            for sign, side in ((-1, leg), (1, row)):
                if side is not None:
                    delta = sign * (side.delta_avail + side.delta_frozen)
                    moved[side.asset_id] = moved.get(side.asset_id, 0) + delta
            surplus = (row is not None) - (leg is not None)
            for asset, amount in sorted(moved.items()):
                code, cause = meaning(LOG, EVENTS_TOPIC, "altered")
                self.to_events.accuse(
                    _about(body, code, asset, amount, surplus, place_of(frame), cause)
                )
                surplus = 0


def place_of(frame: Frame) -> str:
    """Return a frame's place, for people."""
    return f"{frame.file}@{frame.offset} (LSN {frame.lsn})"


def _says(change: Leg | LedgerRow) -> tuple[object, ...]:
    return (
        change.user_id,
        change.asset_id,
        change.seq,
        change.delta_avail,
        change.delta_frozen,
        change.avail,
        change.frozen,
        change.event_type,
    )


def _gone(asset_id: int, amount: int, count: int) -> Found:
    cause = "older than what the topic retains"
    return Found("RETENTION", asset_id, amount, count, None, cause=cause)


def _about(
    body: CommandFrame, code: str, asset_id: int, amount: int, count: int, place: str, cause: str
) -> Found:
    return Found(
        code,
        asset_id,
        amount,
        count,
        body.created_at,
        body.user_id,
        body.request_id,
        place,
        cause,
    )


def _damage(shard: int, stop: Stop) -> Break:
    return Break(
        invariant="I18",
        code="LOG_DAMAGED",
        where=f"log of shard {shard}",
        expected="a log that can be read to its end",
        found=str(stop),
        cause="what was decided behind the damage cannot be reconciled",
    )
