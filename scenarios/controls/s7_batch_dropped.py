"""S7: an error of a row is logged, and the rest of its batch dropped."""

from collections import deque

from scenarios.controls import planted
from system.settlement import Settlement
from system.settlement.ledger import Lane, Statement
from system.settlement.writer import Writer


class _LogsAndDrops(Writer):
    def unknown(
        self,
        lane: Lane,
        statement: Statement,
        error: Exception,
        waiting: deque[tuple[Lane, Statement]],
    ) -> None:
        """Write a line for the operators, who will surely read it."""
        self.log.error("row_failed", error=error)
        waiting.clear()
        del lane, statement


class DropsTheBatch(Settlement):
    """Goes on after an error as if it had not been."""

    def make_writer(self) -> Writer:
        """Return a writer that gives up at the first error."""
        return _LogsAndDrops(self.ledger, self.log, self.work.concurrency, self.pause)


scenario = planted(__name__, __doc__ or "", "settlement", "DropsTheBatch", "I5 I3 I12")
