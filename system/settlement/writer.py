"""Drives lanes of statements to the end: many at once, each in order, each failure repeated.

A timeout, an unavailable replica or a lost connection says nothing about whether a write took
effect. The statement is sent again as it is, and its lane waits.
"""

from collections import deque
from collections.abc import Callable, Iterable

from system.database import FAILURES, Row, refused
from system.errors import Halt
from system.log import Log
from system.settlement.ledger import Lane, Ledger, Statement


class Abandoned(Exception):
    """The partitions of this work belong to somebody else now."""


class Writer:
    """Sends what lanes yield in waves of bounded width."""

    def __init__(
        self, ledger: Ledger, log: Log, concurrency: int, pause: Callable[[int], None]
    ) -> None:
        self.ledger = ledger
        self.log = log
        self.concurrency = concurrency
        self.pause = pause  # called with the number of waves that failed in a row

    def drive(self, lanes: Iterable[Lane]) -> None:
        """Return when every statement of every lane is acknowledged."""
        waiting: deque[tuple[Lane, Statement]] = deque()
        for lane in lanes:
            self._next(lane, None, waiting)
        failed = 0
        while waiting:
            width = min(self.concurrency, len(waiting))
            unknown = self._wave([waiting.popleft() for _ in range(width)], waiting)
            failed = failed + 1 if unknown else 0
            if unknown:
                self.pause(failed)

    def unknown(
        self,
        lane: Lane,
        statement: Statement,
        error: Exception,
        waiting: deque[tuple[Lane, Statement]],
    ) -> None:
        """Have the same statement sent again: nobody knows whether it took effect."""
        self.log.warning("not_acknowledged", error=error)
        waiting.append((lane, statement))

    def _wave(
        self,
        wave: list[tuple[Lane, Statement]],
        waiting: deque[tuple[Lane, Statement]],
    ) -> int:
        """Send one statement of each lane; return how many went unacknowledged."""
        sent = [self.ledger.send(statement) for _, statement in wave]
        unknown = 0
        for (lane, statement), pending in zip(wave, sent, strict=True):
            try:
                rows = list(pending.result())
            except FAILURES as error:
                if refused(error):
                    raise Halt("refused", f"the database refuses a statement: {error}") from error
                unknown += 1
                self.unknown(lane, statement, error, waiting)
            else:
                self._next(lane, rows, waiting)
        return unknown

    def _next(
        self, lane: Lane, rows: list[Row] | None, waiting: deque[tuple[Lane, Statement]]
    ) -> None:
        try:
            statement = next(lane) if rows is None else lane.send(rows)
        except StopIteration:
            return
        waiting.append((lane, statement))
