"""T3: commands older than five seconds are refused; after a stall the whole backlog is."""

from msgspec.structs import replace

from scenarios.controls import planted
from system.records import Rejected
from system.ubscore import UBSCore
from system.ubscore.arrivals import Arrival
from system.ubscore.draft import Draft
from system.wal.frames import CommandFrame

STALE_MS = 5_000


class RefusesStale(UBSCore):
    """Nobody waits that long."""

    def command(self, arrival: Arrival) -> CommandFrame:
        """Refuse what has been lying in Kafka."""
        frame = super().command(arrival)
        if frame.decision == "duplicate" or arrival.now_ms - arrival.appended_ms < STALE_MS:
            return frame
        draft = Draft(self.state, self.terms, frame, arrival.now_ms)
        draft.tell(frame.user_id, Rejected, v=1, reason="expired")
        outputs = tuple(draft.outputs)
        return replace(frame, decision="rejected", reason="expired", legs=(), outputs=outputs)


scenario = planted(__name__, __doc__ or "", "ubscore", "RefusesStale", "I13")
