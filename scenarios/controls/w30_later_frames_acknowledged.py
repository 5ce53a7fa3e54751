"""W30: what is appended while a sync is under way leaves with what that sync covers."""

from scenarios.controls import planted
from system.ubscore import UBSCore
from system.ubscore.opening import Batch


class RidesAlong(UBSCore):
    """The sync is still running, so it will take this along."""

    def commit(self, batch: Batch) -> None:
        """Sync, and publish what has come meanwhile, too."""
        if not batch:
            return
        self.frame_mark()
        self.sync()
        late: Batch = []
        now_ms = self.state.created_at
        for message in self.inputs.take(self.room(), 0.1):
            frame = self.frame(message, now_ms)
            if frame is not None:
                late.append((self.keep(frame), frame))
        self.writer.write()
        self.publish([*batch, *late])
        self.metrics.batch(batch, self.state.lsn, len(self.outbox.waiting))


scenario = planted(__name__, __doc__ or "", "ubscore", "RidesAlong", "I3 I17 I14 I5", "trading")
