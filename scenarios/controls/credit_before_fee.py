"""Own: the trader is credited before the fee, and the fee account after it."""

from scenarios.controls import planted
from scenarios.controls._altering import altered, moved
from system.ubscore import UBSCore
from system.wal.frames import CommandFrame, EngineFrame, Leg


class CreditsGross(UBSCore):
    """Fees are somebody else's business."""

    def keep(self, frame: CommandFrame | EngineFrame) -> int:
        """Log credits of the gross amount, as far as it can be told from the net."""
        return super().keep(altered(frame, self._leg))

    @staticmethod
    def _leg(leg: Leg) -> Leg:
        gross = leg.delta_avail * 1000 // 999 - leg.delta_avail
        return moved(leg, gross) if leg.event_type == "trade_credit" else leg


scenario = planted(__name__, __doc__ or "", "ubscore", "CreditsGross", "I1", "trading")
