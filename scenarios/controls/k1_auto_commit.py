"""K1: offsets are stored at poll and committed by a timer; a crash comes before the work."""

from typing import Any

from scenarios.controls import planted
from system.settlement import Settlement
from system.settlement.positions import Partition


class CommitsByTimer(Settlement):
    """Lets the client library say what is done."""

    def consumer_settings(self) -> dict[str, Any]:
        """Leave committing to librdkafka."""
        return {
            **super().consumer_settings(),
            "enable.auto.commit": True,
            "enable.auto.offset.store": True,
            "auto.commit.interval.ms": 200,
        }

    def commit(self) -> None:
        """Do nothing: it happens by itself."""
        for partition in self.partitions.values():
            assert isinstance(partition, Partition)
            partition.committed = partition.offset


scenario = planted(__name__, __doc__ or "", "settlement", "CommitsByTimer", "I3 I12 I14")
