"""W6: after a failed sync a restart takes what it reads for durable, and appends to it."""

from scenarios.controls import planted
from scenarios.controls.w10_torn_tail_left import AppendsBehind
from system.ubscore import UBSCore
from system.wal.frames import EpochFrame
from system.wal.reader import Contents


class _Trusts(AppendsBehind):
    def recover(self, contents: Contents, epoch: EpochFrame) -> int:
        """Copy only what ends in a tear; else go on in the last file as it reads."""
        if contents.torn is not None:
            return super(AppendsBehind, self).recover(contents, epoch)
        return super().recover(contents, epoch)


class TrustsTheCache(UBSCore):
    """What can be read has been written."""

    writer_type = _Trusts


scenario = planted(
    __name__, __doc__ or "", "ubscore", "TrustsTheCache", "I17 I3 I18 I14", "failed_syncs"
)
