"""W10: a torn tail ends the reading of the log, but stays; later frames are written behind it."""

import os

from scenarios.controls import planted
from system.ubscore import UBSCore
from system.wal.frames import EpochFrame
from system.wal.reader import Contents
from system.wal.writer import Writer


class AppendsBehind(Writer):
    """Opens the last file as it is."""

    def recover(self, contents: Contents, epoch: EpochFrame) -> int:
        """Go on at the end of the last file, wherever that is."""
        tail = contents.headers[-1]
        self.generation = tail.generation
        self.next_lsn = max(contents.last_lsn + 1, tail.first_lsn)
        own = contents.frames and contents.last_lsn >= tail.first_lsn
        self.previous = contents.frames[-1].crc if own else tail.previous
        self.synced_lsn = contents.last_lsn
        path = os.path.join(self.directory, contents.files[-1])
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
        lsn = self.append(epoch)
        self.commit()
        return lsn


class LeavesTheTear(UBSCore):
    """Writes where nobody will read."""

    writer_type = AppendsBehind


scenario = planted(
    __name__, __doc__ or "", "ubscore", "LeavesTheTear", "I3 I7 I14 I18", "slow_syncs"
)
