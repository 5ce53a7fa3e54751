"""What the log changed, next to the records that tell of it: on their way, gone, or to be there."""

from collections.abc import Iterable
from itertools import zip_longest
from typing import NamedTuple

from reports.live.folds import Blocks, hash_numbered
from reports.live.orders.kinds import LOGGED
from reports.live.orders.trading import Trading
from reports.live.parts import Found, Parts, Tally
from reports.live.published import Published
from reports.live.sources import Bounds, Cut
from reports.reconcile.codes import EVENTS_TOPIC, LOG, meaning
from system.records import EVENTS, ORDERS, LedgerRow, decode_event
from system.wal.frames import CommandFrame, EngineFrame, Leg, Output
from system.wal.packing import Frame


class Subject(NamedTuple):
    """Whose frame it is, and since when."""

    created_at: int
    user_id: int
    request_id: str


class Sent:
    """The legs of all frames, and the records for the events topic that are to carry them."""

    def __init__(self, cut: Cut, bounds: Bounds, trading: Trading, tally: Tally) -> None:
        self.bounds = bounds
        self.trading = trading
        self.tally = tally
        self.outputs: Blocks[int] = Blocks()
        self.to_events = Parts(LOG, EVENTS_TOPIC, cut.at_ms, bounds.breaks_max)
        self.cut_off = False
        self._begins: dict[int, int] = {}  # the first number that a partition's log gave

    def close(self, published: Published, partitions: Iterable[int]) -> None:
        """Explain the events of frames that are gone: the log of these partitions was cut."""
        self.cut_off = True
        for partition in partitions:
            begins = self._begins.get(partition)
            for arrived in published.before(partition, begins):
                event = arrived.event
                self.outputs.add(partition, event.n, hash_numbered(event.n, arrived.hashed))
                if isinstance(event, LedgerRow):
                    delta = event.delta_avail + event.delta_frozen
                    cause = "older than the log's first frame"
                    self.to_events.explain(
                        Found("RETENTION", event.asset_id, delta, 1, None, cause=cause)
                    )

    def begins(self, partition: int) -> int:
        """Return the number from which on the log at hand must hold a partition's events."""
        return self._begins.get(partition, 1) if self.cut_off else 1

    def take(
        self,
        frame: Frame,
        body: CommandFrame | EngineFrame,
        about: Subject,
        published: Published,
    ) -> list[LedgerRow]:
        """Take in legs and the records that tell of them; return the rows told."""
        legs, rows = list(body.legs), []
        for leg in legs:
            self.tally.add(leg.asset_id, leg.delta_avail + leg.delta_frozen)
            self.trading.kinds.add(LOGGED, *_change(leg))
        for output in body.outputs:
            if output.topic == EVENTS:
                row = self._sent(frame, about, output, legs, published)
                rows += [row] if row is not None else []
            elif output.topic == ORDERS:
                self.trading.passed.sent(frame, output, body.created_at)
        self._same(frame, about, legs, [])
        return rows

    def _sent(
        self,
        frame: Frame,
        about: Subject,
        output: Output,
        legs: list[Leg],
        published: Published,
    ) -> LedgerRow | None:
        """Take in a record for the events topic; it is on its way, gone, or must be there."""
        event = decode_event(output.value)
        row = event if isinstance(event, LedgerRow) else None
        leg = legs.pop(0) if row is not None and legs else None
        self._begins.setdefault(output.partition, output.n)
        numbers = published.replays[output.partition].numbers
        if output.n < numbers.first:
            if leg is not None:
                delta = leg.delta_avail + leg.delta_frozen
                self.to_events.explain(gone(leg.asset_id, -delta, -1))
            return row
        if output.n > numbers.last:
            if leg is not None:
                delta = leg.delta_avail + leg.delta_frozen
                waiting = "ubscore has not published it"
                where = f"{place_of(frame)} n {output.n}"
                late = found_in(about, "", leg.asset_id, -delta, -1, where, waiting)
                self.to_events.late(late, self.bounds.max_age_ms)
                self.trading.kinds.wait(LOGGED, *_change(leg))
            return row
        hashed = hash_numbered(output.n, hash(output.value))
        self.outputs.add(output.partition, output.n, hashed)
        self._same(frame, about, [leg] if leg else [], [row] if row else [])
        return row

    def _same(self, frame: Frame, about: Subject, legs: list[Leg], rows: list[LedgerRow]) -> None:
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
                    found_in(about, code, asset, amount, surplus, place_of(frame), cause)
                )
                surplus = 0


def _change(leg: Leg) -> tuple[str, int, int, int]:
    return leg.event_type, leg.asset_id, leg.delta_avail, leg.delta_frozen


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


def gone(asset_id: int, amount: int, count: int) -> Found:
    cause = "older than what the topic retains"
    return Found("RETENTION", asset_id, amount, count, None, cause=cause)


def found_in(
    about: Subject, code: str, asset_id: int, amount: int, count: int, place: str, cause: str
) -> Found:
    return Found(code, asset_id, amount, count, *about, place, cause)
