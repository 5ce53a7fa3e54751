"""M3: what was locked at the limit and filled better is never released."""

from scenarios.controls import planted
from scenarios.controls._altering import altered, nothing
from system.ubscore import UBSCore
from system.wal.frames import CommandFrame, EngineFrame, Leg


class KeepsRests(UBSCore):
    """Releases are for cancels, and those are rare."""

    def keep(self, frame: CommandFrame | EngineFrame) -> int:
        """Log fills without what they give back."""
        return super().keep(altered(frame, self._leg))

    @staticmethod
    def _leg(leg: Leg) -> Leg:
        return nothing(leg) if leg.event_type == "unlock" else leg


scenario = planted(__name__, __doc__ or "", "ubscore", "KeepsRests", "I10", "trading")
