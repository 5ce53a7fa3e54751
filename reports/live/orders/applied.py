"""The logs' side of the engine's outputs: one frame for each that concerns a shard, whole."""

from collections import Counter
from itertools import zip_longest

import msgspec

from reports.fills import Move
from reports.live.folds import Blocks, hash_numbered
from reports.live.listed import Listed
from reports.live.orders.emitted import Due, Emitted
from reports.live.orders.homes import Homes, net
from reports.live.orders.kinds import TOLD
from reports.live.orders.turns import Turns
from reports.live.parts import Found, Parts, Tally, change
from reports.live.replay import undecodable
from reports.live.sources import Cut
from reports.reconcile.codes import LOG, OUTPUTS_TOPIC, meaning
from system.records import EngineOutput, LedgerRow, decode_output
from system.wal.frames import EngineFrame, Leg, Link
from system.wal.packing import Frame

Lane = tuple[int, int]  # shard, symbol


class Applied:
    """What the logs took in, next to what the topic holds."""

    def __init__(self, cut: Cut, emitted: Emitted, homes: Homes, parts: Parts) -> None:
        self.cut = cut
        self.emitted = emitted
        self.homes = homes
        self.parts = parts
        self.tally = Tally(LOG, "LSN")
        self.blocks: Blocks[Lane] = Blocks()
        self.first: dict[Lane, int] = {}
        self.last: dict[Lane, int] = {}
        self.next: dict[int, int] = {}  # per partition, where the shard that is behind goes on
        self.breaks = Listed(parts.most, "frames of outputs that cannot be decoded")
        self.cut_off = False
        self._next: dict[tuple[int, int], int] = {}

    def take(self, shard: int, frame: Frame, body: EngineFrame, rows: list[LedgerRow]) -> None:
        """Take in a frame, with the rows of its events."""
        try:
            output = decode_output(body.value)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self.breaks.add(undecodable(f"{frame.file}@{frame.offset}", error))
            return
        for leg in body.legs:
            self.tally.add(leg.asset_id, leg.delta_avail + leg.delta_frozen)
        lane, seq = (shard, output.symbol_id), output.output_seq
        self.reached(shard, body.links)
        self.last[lane] = max(self.last.get(lane, 0), seq)
        self.first.setdefault(lane, seq)
        self._next[shard, body.input.partition] = body.input.offset + 1
        if seq < self.emitted.first(output.symbol_id):
            for asset, amount, count in _net(body):
                cause = "older than what the topic retains"
                self.parts.explain(Found("RETENTION", asset, amount, count, None, cause=cause))
            return
        self.blocks.add(lane, seq, hash_numbered(seq, hash(body.value)))
        self._whole(shard, frame, body, output, rows)

    def reached(self, shard: int, links: tuple[Link, ...]) -> None:
        """Note how far a shard says that it has taken in each symbol."""
        for link in links:
            lane = shard, link.symbol_id
            self.last[lane] = max(self.last.get(lane, 0), link.output_seq)

    def close(self, *, cut_off: bool) -> None:
        """Say what is on its way, and what frames that are gone held: neither is here."""
        self.cut_off = cut_off
        for partition, span in sorted(self.cut.outputs.items()):
            walk = self.emitted.walk(partition)
            if not cut_off:
                walk.turns = {symbol: Turns(1 + self._taken(symbol)) for symbol in self._symbols()}
            low = span.low if cut_off else max(span.low, self._behind(partition))
            for due in walk.read(low, span.high):
                self._not_here(due)

    def here(self, lane: Lane, seq: int) -> bool:
        """Whether the log at hand has to hold the frame of an output."""
        last = self.last.get(lane, 0)
        return (self.first.get(lane, last + 1) if self.cut_off else 1) <= seq <= last

    def _symbols(self) -> set[int]:
        return {symbol for walk in self.emitted.walks.values() for symbol in walk.turns}

    def _taken(self, symbol: int) -> int:
        """Return up to which output every shard has taken a symbol in."""
        last = min((self.last.get((shard, symbol), 0) for shard in self.cut.logs), default=0)
        return max(last, self.emitted.first(symbol) - 1)

    def _behind(self, partition: int) -> int:
        """Return the offset below which every shard has taken in a partition's outputs."""
        return min((self._next.get((shard, partition), 0) for shard in self.cut.logs), default=0)

    def _not_here(self, due: Due) -> None:
        output, seq = due.record, due.record.output_seq
        for shard, these in self.homes.concerned(output).items():
            lane = shard, output.symbol_id
            last = self.last.get(lane, 0)
            if self.here(lane, seq):
                continue
            self.blocks.add(lane, seq, hash_numbered(seq, due.hashed))
            for asset, amount, count in net(these):
                self._missing(due, Found("", asset, -amount, -count, due.timestamp_ms), seq > last)
            if seq > last:
                for move in these:
                    kind, asset = move.event_type, move.asset_id
                    delta = move.delta_avail, move.delta_frozen
                    self.emitted.kinds.wait(TOLD, kind, asset, *delta)

    def _missing(self, due: Due, found: Found, late: bool) -> None:
        output = due.record
        if late:
            self.parts.late(
                change(
                    found,
                    user_id=output.user_id,
                    request_id=output.request_id,
                    place=due.place,
                    cause="ubscore has not taken it in",
                ),
                self.emitted.bounds.max_age_ms,
            )
        else:
            cause = "older than the log's first frame"
            self.parts.explain(change(found, code="RETENTION", at_ms=None, cause=cause))

    def _whole(
        self,
        shard: int,
        frame: Frame,
        body: EngineFrame,
        output: EngineOutput,
        rows: list[LedgerRow],
    ) -> None:
        """Accuse a frame that does not do on its shard what its output says."""
        wanted = Counter(self.homes.concerned(output).get(shard, []))
        found = Counter(_move(leg, row) for leg, row in zip_longest(body.legs, rows) if leg)
        for sign, differing in ((-1, wanted - found), (1, found - wanted)):
            for move, count in sorted(differing.items()):
                amount = sign * count * (move.delta_avail + move.delta_frozen)
                _, cause = meaning(OUTPUTS_TOPIC, LOG, "altered")
                self.parts.accuse(
                    Found(
                        "LEGS_DIFFER",
                        move.asset_id,
                        amount,
                        sign * count,
                        body.created_at,
                        move.user_id,
                        output.request_id,
                        f"{frame.file}@{frame.offset} (LSN {frame.lsn})",
                        f"{cause}: {move.event_type} of {move.ref_id}",
                    )
                )


def _move(leg: Leg, row: LedgerRow | None) -> Move:
    """Return what a leg does; what it refers to is said by its row alone."""
    return Move(
        leg.event_type,  # type: ignore[arg-type]
        leg.user_id,
        leg.asset_id,
        leg.delta_avail,
        leg.delta_frozen,
        row.ref_id if row is not None else "",
    )


def _net(body: EngineFrame) -> list[tuple[int, int, int]]:
    return [(leg.asset_id, leg.delta_avail + leg.delta_frozen, 1) for leg in body.legs]
