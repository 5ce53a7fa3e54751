"""W30: what is appended while a sync is under way leaves with what that sync covers."""

from scenarios.controls import planted
from system.ubscore import UBSCore
from system.ubscore.opening import Batch
from system.ubscore.settings import Settings
from system.wal.frames import AnyFrame


class RidesAlong(UBSCore):
    """The sync is still running, so it will take this along."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._along: Batch = []
        self._out = 0

    def keep(self, frame: AnyFrame) -> int:
        """Remember what comes during a sync."""
        lsn = super().keep(frame)
        if self._under_way:
            self._along.append((lsn, frame))
        return lsn

    def publish(self, batch: Batch) -> None:
        """Publish what was synced, and what has come meanwhile: that is not published again."""
        leaving = [kept for kept in batch if kept[0] > self._out] + self._along
        self._along = []
        self._out = max([self._out, *(lsn for lsn, _ in leaving)])
        super().publish(leaving)
        self.outbox.poll(0.005)


scenario = planted(__name__, __doc__ or "", "ubscore", "RidesAlong", "I3 I17 I14 I5", "slow_syncs")
