"""A5: request keys are kept in memory only; after a crash a late retry is applied again."""

from scenarios.controls import planted
from system.ubscore import UBSCore
from system.wal.frames import AnyBody


class ForgetsKeys(UBSCore):
    """Rebuilds balances from the log, but not what was asked."""

    def fold(self, lsn: int, body: AnyBody) -> None:
        """Take in the effect without its key."""
        super().fold(lsn, body)
        self.state.keys.clear()


scenario = planted(__name__, __doc__ or "", "ubscore", "ForgetsKeys", "I4")
