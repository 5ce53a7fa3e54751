"""S14: a write that timed out is taken for applied."""

from collections import deque

from scenarios.controls import planted
from system.settlement import Settlement
from system.settlement.ledger import Lane, Statement
from system.settlement.writer import Writer


class _Believes(Writer):
    def unknown(
        self,
        lane: Lane,
        statement: Statement,
        error: Exception,
        waiting: deque[tuple[Lane, Statement]],
    ) -> None:
        """Ask again what was asked; what was written is written."""
        if statement[0] in (self.ledger.newest, self.ledger.stored):
            super().unknown(lane, statement, error, waiting)
        else:
            self._next(lane, [], waiting)


class GoesOnAfterTimeouts(Settlement):
    """Some replica will have it."""

    def make_writer(self) -> Writer:
        """Return a writer that believes."""
        return _Believes(self.ledger, self.log, self.work.concurrency, self.pause)


scenario = planted(
    __name__, __doc__ or "", "settlement", "GoesOnAfterTimeouts", "I5 I12 I3", "lost_statements"
)
