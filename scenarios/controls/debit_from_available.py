"""Own: the buyer pays a fill from what is available, and the lock stays."""

from confluent_kafka import Message

from scenarios.controls import planted
from scenarios.controls._altering import altered, moved
from system.ubscore import UBSCore
from system.wal.frames import CommandFrame, EngineFrame, Leg


class PaysTwice(UBSCore):
    """Somebody has to pay."""

    def frame(self, message: Message, now_ms: int) -> CommandFrame | EngineFrame | None:
        """Log debits that touch the wrong side of the account."""
        frame = super().frame(message, now_ms)
        return None if frame is None else altered(frame, self._leg)

    @staticmethod
    def _leg(leg: Leg) -> Leg:
        wrong = leg.event_type == "trade_debit"
        return moved(leg, leg.delta_frozen, -leg.delta_frozen) if wrong else leg


scenario = planted(__name__, __doc__ or "", "ubscore", "PaysTwice", "I10 I2 I16", "trading")
