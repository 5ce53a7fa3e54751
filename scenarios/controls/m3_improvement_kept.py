"""M3: what was locked at the limit and filled better is never released."""

from confluent_kafka import Message

from scenarios.controls import planted
from scenarios.controls._altering import altered, nothing
from system.ubscore import UBSCore
from system.wal.frames import CommandFrame, EngineFrame, Leg


class KeepsRests(UBSCore):
    """Releases are for cancels, and those are rare."""

    def frame(self, message: Message, now_ms: int) -> CommandFrame | EngineFrame | None:
        """Log fills without what they give back."""
        frame = super().frame(message, now_ms)
        return None if frame is None else altered(frame, self._leg)

    @staticmethod
    def _leg(leg: Leg) -> Leg:
        return nothing(leg) if leg.event_type == "unlock" else leg


scenario = planted(__name__, __doc__ or "", "ubscore", "KeepsRests", "I10", "trading")
