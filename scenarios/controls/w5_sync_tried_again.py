"""W5: a sync that failed is tried again, and its success believed."""

from scenarios.controls import planted
from system.errors import LogError
from system.ubscore import UBSCore
from system.wal.writer import Writer


class _TriesAgain(Writer):
    def sync(self) -> None:
        """Wait until all that was written is on the medium, at the second attempt if need be."""
        try:
            super().sync()
        except LogError:
            super().sync()


class BelievesTheSecondSync(UBSCore):
    """Disks have their moments."""

    writer_type = _TriesAgain


scenario = planted(
    __name__, __doc__ or "", "ubscore", "BelievesTheSecondSync", "I3 I17 I18 I14", "failed_syncs"
)
