"""Own: the trader is credited before the fee, and the fee account after it."""

from confluent_kafka import Message

from scenarios.controls import planted
from scenarios.controls._altering import altered, moved
from system.ubscore import UBSCore
from system.wal.frames import CommandFrame, EngineFrame, Leg


class CreditsGross(UBSCore):
    """Fees are somebody else's business."""

    def frame(self, message: Message, now_ms: int) -> CommandFrame | EngineFrame | None:
        """Log credits of the gross amount, as far as it can be told from the net."""
        frame = super().frame(message, now_ms)
        return None if frame is None else altered(frame, self._leg)

    @staticmethod
    def _leg(leg: Leg) -> Leg:
        gross = leg.delta_avail * 1000 // 999 - leg.delta_avail
        return moved(leg, gross) if leg.event_type == "trade_credit" else leg


scenario = planted(__name__, __doc__ or "", "ubscore", "CreditsGross", "I1", "trading")
