"""Own: an order locks a little less than it may cost."""

from confluent_kafka import Message

from scenarios.controls import planted
from scenarios.controls._altering import altered, moved
from system.ubscore import UBSCore
from system.wal.frames import CommandFrame, EngineFrame, Leg


class LocksLess(UBSCore):
    """Rounds in favour of the client."""

    def frame(self, message: Message, now_ms: int) -> CommandFrame | EngineFrame | None:
        """Log locks that are one unit short."""
        frame = super().frame(message, now_ms)
        return None if frame is None else altered(frame, self._leg)

    @staticmethod
    def _leg(leg: Leg) -> Leg:
        return moved(leg, 1, -1) if leg.event_type == "lock" else leg


scenario = planted(__name__, __doc__ or "", "ubscore", "LocksLess", "I10", "trading")
