"""W18: the log is written, and never read at the start."""

from scenarios.controls import planted
from system.ubscore import UBSCore
from system.wal.frames import AnyBody, CommandFrame


class NeverReads(UBSCore):
    """Begins every life with empty accounts."""

    def fold(self, lsn: int, body: AnyBody) -> None:
        """Take in everything but what happened."""
        if isinstance(body, CommandFrame):
            self.state.lsn = lsn
        else:
            super().fold(lsn, body)


scenario = planted(__name__, __doc__ or "", "ubscore", "NeverReads", "I7 I14 I4 I5")
