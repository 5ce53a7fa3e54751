"""Own: the fee is taken from the trader and credited to nobody."""

from confluent_kafka import Message

from scenarios.controls import planted
from scenarios.controls._altering import altered, nothing
from system.ubscore import UBSCore
from system.wal.frames import CommandFrame, EngineFrame, Leg


class ForgetsFees(UBSCore):
    """The fee account is updated by a nightly job, some day."""

    def frame(self, message: Message, now_ms: int) -> CommandFrame | EngineFrame | None:
        """Log fills without their fees."""
        frame = super().frame(message, now_ms)
        return None if frame is None else altered(frame, self._leg)

    @staticmethod
    def _leg(leg: Leg) -> Leg:
        return nothing(leg) if leg.event_type == "fee" else leg


scenario = planted(__name__, __doc__ or "", "ubscore", "ForgetsFees", "I1", "trading")
