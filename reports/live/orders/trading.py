"""Orders as of the cut, all in one: what the logs do with them, between two topics, and the tables.

Order of reading: `read` before the logs, `placed`, `filled` and `reached` with each of their
frames, `close` after them; tables last.

**Simplified**: the matcher is not played again; that outputs are what price, time and the rules
say is judged in runs (I8), not here.
"""

from collections.abc import Iterator

import msgspec

from reports.live.listed import Listed
from reports.live.orders.applied import Applied
from reports.live.orders.details import OrderDetails
from reports.live.orders.emitted import Emitted
from reports.live.orders.homes import Homes
from reports.live.orders.kinds import Kinds
from reports.live.orders.locks import Locks
from reports.live.orders.passed import Passed
from reports.live.orders.shown import Tables
from reports.live.parts import Parts, Tally
from reports.live.sources import Bounds, Cut, Sources
from reports.reconcile.codes import LOG, OUTPUTS_TOPIC, TABLES
from reports.reconcile.statement import Step
from reports.reconcile.totals import Totals
from system.records import LedgerRow
from system.wal.frames import CommandFrame, EngineFrame, LinkFrame, OrderFrame
from system.wal.packing import Frame


class Trading:
    """What a deployment did with orders."""

    def __init__(self, sources: Sources, cut: Cut, bounds: Bounds) -> None:
        self.sources = sources
        self.cut = cut
        self.bounds = bounds
        homes = Homes(cut.logs, len(cut.events))
        self.emitted = Emitted(sources, cut, bounds, homes)
        self.passed = Passed(sources, cut, bounds, self.emitted)
        to_log = Parts(OUTPUTS_TOPIC, LOG, cut.at_ms, bounds.breaks_max)
        self.applied = Applied(cut, self.emitted, homes, to_log)
        self.tables = Tables(sources, cut, self.emitted, bounds.breaks_max)
        self.locks = {shard: Locks(bounds.breaks_max) for shard in cut.logs}
        self.unread = 0

    @property
    def kinds(self) -> Kinds:
        """What orders moved, per kind."""
        return self.emitted.kinds

    def read(self) -> None:
        """Read the two topics up to the cut."""
        for settled, due in self.emitted.read():
            if settled:
                self.tables.due(due)
        self.passed.read()

    # -- with the logs ---------------------------------------------------------------------------

    def unlocked(self, shard: int) -> None:
        """Note that a log begins above LSN 1: what was open before is not known."""
        self.locks.pop(shard, None)

    def placed(self, shard: int, frame: Frame, body: CommandFrame) -> None:
        """Take in a command's frame."""
        locks = self.locks.get(shard)
        if locks is not None and isinstance(body, OrderFrame):
            locks.placed(frame, body)

    def filled(self, shard: int, frame: Frame, body: EngineFrame, rows: list[LedgerRow]) -> None:
        """Take in the frame of an engine output."""
        self.applied.take(shard, frame, body, rows)
        if shard in self.locks:
            self.locks[shard].filled(frame, body)

    def reached(self, shard: int, body: LinkFrame) -> None:
        """Take in how far a shard says that it has come."""
        self.applied.reached(shard, body.links)

    def cause_of(self, body: EngineFrame) -> tuple[int, str]:
        """Return whose request an output answers."""
        cause = _decode_cause(body.value)
        return cause.user_id, cause.request_id

    # -- after them ------------------------------------------------------------------------------

    def close(self, readable: list[int], *, cut_off: bool) -> None:
        """Say what of the topics the logs have not taken in yet, and what they never gave."""
        self.applied.close(cut_off=cut_off)
        self.passed.close(readable, cut_off=cut_off)

    def look_again(self, readable: list[int]) -> None:
        """Read again, in detail, what does not agree."""
        details = OrderDetails(self.sources, self.cut, self.emitted, readable)
        details.look_at_answers(self.passed)
        details.look_at_applied(self.applied)
        details.look_at_passed(self.passed)
        self.unread = details.unread

    def parts(self, *, with_logs: bool) -> list[tuple[Parts, Totals, Totals]]:
        """Return the steps beside those of transfers, with what lies before and after each."""
        if not self.emitted.checked and not self.passed.checked:
            return []
        emitted, passed, applied = self.emitted, self.passed, self.applied
        answers = passed.to_outputs, passed.asked_tally.totals, emitted.answers_tally.totals
        tables = emitted.to_tables, emitted.unsettled_tally.totals, Tally(TABLES, "").totals
        if not with_logs:
            return [answers, tables]
        told = passed.from_log, passed.log_tally.totals, passed.topic_tally.totals
        taken = applied.parts, emitted.tally.totals, applied.tally.totals
        return [told, answers, taken, tables]

    def steps(self, *, with_logs: bool) -> tuple[Step, ...]:
        """Return these steps with all their differences."""
        parts = self.parts(with_logs=with_logs)
        return tuple(part.step(before, after) for part, before, after in parts)

    @property
    def whole(self) -> bool:
        """Whether both topics are retained from their very first record."""
        return not any(span.low for span in (*self.cut.orders.values(), *self.cut.outputs.values()))

    def breaks(self) -> Iterator[Listed]:
        """Yield all that was found beside the steps."""
        yield self.emitted.breaks
        yield self.passed.breaks
        yield self.applied.breaks
        for _, locks in sorted(self.locks.items()):
            yield locks.breaks
        yield self.tables.breaks


class _Cause(msgspec.Struct):
    user_id: int = 0
    request_id: str = ""


_decode_cause = msgspec.json.Decoder(_Cause).decode
