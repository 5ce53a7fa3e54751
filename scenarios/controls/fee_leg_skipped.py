"""Own: the fee is taken from the trader and credited to nobody."""

from scenarios.controls import planted
from scenarios.controls._altering import altered, nothing
from system.ubscore import UBSCore
from system.wal.frames import CommandFrame, EngineFrame, Leg


class ForgetsFees(UBSCore):
    """The fee account is updated by a nightly job, some day."""

    def keep(self, frame: CommandFrame | EngineFrame) -> int:
        """Log fills without their fees."""
        return super().keep(altered(frame, self._leg))

    @staticmethod
    def _leg(leg: Leg) -> Leg:
        return nothing(leg) if leg.event_type == "fee" else leg


scenario = planted(__name__, __doc__ or "", "ubscore", "ForgetsFees", "I1", "trading")
