"""Own: the engine's snapshot runs ahead of outputs that Kafka has not acknowledged."""

from scenarios.controls import planted
from system.engine import Engine


class Hurries(Engine):
    """Everything will be acknowledged sooner or later."""

    def snapshot_if_settled(self) -> None:
        """Write the snapshot at once, and think of nothing."""
        self.state.delivered = dict.fromkeys(self.state.delivered, 0)
        self._counter += 1
        self.snapshots.write(self._counter, self.state.encode())
        self.judged = 0


scenario = planted(__name__, __doc__ or "", "engine", "Hurries", "I9 I14 I16", "snapshots_due")
