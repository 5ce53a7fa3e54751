"""W19: one kind of command changes memory without a frame."""

from scenarios.controls import planted
from system.ubscore import UBSCore
from system.wal.frames import AnyFrame


class LogsDepositsOnly(UBSCore):
    """Withdrawals are simple, so why log them."""

    def keep(self, frame: AnyFrame) -> int:
        """Apply a withdrawal at once, log everything else."""
        if any(leg.event_type == "withdraw" for leg in frame.legs):
            lsn = self.state.lsn
            self.state.apply(lsn, frame)
            return lsn
        return super().keep(frame)


scenario = planted(__name__, __doc__ or "", "ubscore", "LogsDepositsOnly", "I1 I7 I14 I17")
