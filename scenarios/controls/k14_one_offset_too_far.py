"""K14: the offset committed is one beyond what was settled."""

from scenarios.controls import planted
from system.settlement import Settlement


class CommitsTooFar(Settlement):
    """The next one, or the one after it: who can remember."""

    def commit(self) -> None:
        """Commit one more than there was."""
        moved = [p for p in self.partitions.values() if p.offset != p.committed]
        for partition in moved:
            partition.offset += 1
        super().commit()
        for partition in moved:
            partition.offset -= 1
            partition.committed -= partition.committed > partition.offset


scenario = planted(
    __name__, __doc__ or "", "settlement", "CommitsTooFar", "I12 I14", "kills_mid_batch"
)
