"""S1: the position is advanced before the database write; on an error it goes on."""

from collections import deque

from scenarios.controls import planted
from system.settlement import Settlement
from system.settlement.ledger import Lane, Statement
from system.settlement.writer import Writer


class _GoesOn(Writer):
    def unknown(
        self,
        lane: Lane,
        statement: Statement,
        error: Exception,
        waiting: deque[tuple[Lane, Statement]],
    ) -> None:
        """Drop what failed."""
        self.log.warning("skipped", error=error)
        del lane, statement, waiting


class CommitsFirst(Settlement):
    """Says that it is done, then does it."""

    def make_writer(self) -> Writer:
        """Return a writer that never looks back."""
        return _GoesOn(self.ledger, self.log, self.work.concurrency, self.pause)

    def step(self) -> None:
        """Commit, then write."""
        self.poll()
        events = [event for message in self.batch if (event := self.take(message)) is not None]
        self.batch = []
        self.commit()
        self.write(events)


scenario = planted(
    __name__, __doc__ or "", "settlement", "CommitsFirst", "I5 I3 I12", "kills_mid_batch"
)
