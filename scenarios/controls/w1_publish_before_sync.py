"""W1: records leave before the log's sync has returned."""

from scenarios.controls import planted
from system.ubscore import UBSCore
from system.ubscore.opening import Batch


class PublishesFirst(UBSCore):
    """Tells the world, then makes sure that it is true."""

    def commit(self, batch: Batch) -> None:
        """Publish, then sync."""
        if batch:
            self.frame_mark()
            self.publish(batch)
            self.outbox.poll(0.005)
            self.sync()
            self.metrics.batch(batch, self.state.lsn, len(self.outbox.waiting))


scenario = planted(__name__, __doc__ or "", "ubscore", "PublishesFirst", "I3 I17 I14 I5")
