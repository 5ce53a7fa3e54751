"""Drives lanes of statements to the end: many at once, each in order, each failure repeated.

A timeout, an unavailable replica or a lost connection says nothing about whether a write took
effect. The statement is sent again as it is, and its lane waits.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from queue import SimpleQueue

from system.database import FAILURES, Row, refused
from system.errors import Halt
from system.log import Log
from system.settlement.ledger import Lane, Ledger, Statement
from system.settlement.metrics import Metrics

Waiting = deque[tuple[Lane, Statement]]
Answer = tuple[Lane, Statement, float, list[Row] | Exception]  # the float: when it was sent


class Abandoned(Exception):
    """The partitions of this work belong to somebody else now."""


class Writer:
    """Keeps as many statements under way as it may; each answer makes room for the next."""

    def __init__(
        self,
        ledger: Ledger,
        log: Log,
        concurrency: int,
        pause: Callable[[int], None],
        metrics: Metrics | None = None,
    ) -> None:
        self.metrics = metrics or Metrics()
        self.ledger = ledger
        self.log = log
        self.concurrency = concurrency
        self.pause = pause  # called with the number of times in a row that it came to that

    def drive(self, lanes: Iterable[Lane]) -> None:
        """Return when every statement of every lane is acknowledged.

        After a failure nothing more is sent until all that is under way is answered; then comes
        a pause.
        """
        waiting: Waiting = deque()
        for lane in lanes:
            self._next(lane, None, waiting)
        answers: SimpleQueue[Answer] = SimpleQueue()
        flying = failures = 0
        failed = False
        while waiting or flying:
            while waiting and flying < self.concurrency and not failed:
                self._send(*waiting.popleft(), answers)
                flying += 1
            failed = not self._settled(answers.get(), waiting) or failed
            flying -= 1
            if failed and not flying:
                failures += 1
                self.pause(failures)
                failed = False
            elif not failed:
                failures = 0

    def unknown(self, lane: Lane, statement: Statement, error: Exception, waiting: Waiting) -> None:
        """Have the same statement sent again: nobody knows whether it took effect."""
        self.log.warning("not_acknowledged", error=error)
        waiting.append((lane, statement))

    def _send(self, lane: Lane, statement: Statement, answers: SimpleQueue[Answer]) -> None:
        sent_s = time.perf_counter()
        self.ledger.send(statement).add_callbacks(
            lambda rows: answers.put((lane, statement, sent_s, rows or [])),
            lambda error: answers.put((lane, statement, sent_s, error)),
        )

    def _settled(self, answer: Answer, waiting: Waiting) -> bool:
        """Go on with the lane of an answer; say whether the statement was acknowledged."""
        lane, statement, sent_s, found = answer
        self.metrics.statement.observe(time.perf_counter() - sent_s)
        if not isinstance(found, Exception):
            self._next(lane, list(found), waiting)
            return True
        if refused(found):
            raise Halt("refused", f"the database refuses a statement: {found}") from found
        if not isinstance(found, FAILURES):
            raise found
        self.metrics.repeated.inc()
        self.unknown(lane, statement, found, waiting)
        return False

    def _next(self, lane: Lane, rows: list[Row] | None, waiting: Waiting) -> None:
        try:
            statement = next(lane) if rows is None else lane.send(rows)
        except StopIteration:
            return
        waiting.append((lane, statement))
