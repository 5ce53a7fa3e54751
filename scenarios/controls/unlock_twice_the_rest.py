"""Own: a release credits the rest twice, once for the cancel and once for the order."""

from confluent_kafka import Message

from scenarios.controls import planted
from scenarios.controls._altering import altered, moved
from system.ubscore import UBSCore
from system.wal.frames import CommandFrame, EngineFrame, Leg


class ReleasesTwice(UBSCore):
    """Better too much than too little."""

    def frame(self, message: Message, now_ms: int) -> CommandFrame | EngineFrame | None:
        """Log releases that credit twice what they unfreeze."""
        frame = super().frame(message, now_ms)
        return None if frame is None else altered(frame, self._leg)

    @staticmethod
    def _leg(leg: Leg) -> Leg:
        return moved(leg, leg.delta_avail) if leg.event_type == "unlock" else leg


scenario = planted(__name__, __doc__ or "", "ubscore", "ReleasesTwice", "I1", "trading")
