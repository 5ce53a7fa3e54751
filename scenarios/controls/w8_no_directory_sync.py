"""W8: a new log file is synced, its name is not."""

from scenarios.controls import planted
from system.ubscore import UBSCore
from system.wal.writer import Writer


class _NamesNothing(Writer):
    def sync_directory(self) -> None:
        """Trust that names look after themselves."""


class ForgetsTheName(UBSCore):
    """Loses the whole file with the power."""

    writer_type = _NamesNothing


scenario = planted(
    __name__, __doc__ or "", "ubscore", "ForgetsTheName", "I3 I7 I14 I17", "slow_syncs"
)
