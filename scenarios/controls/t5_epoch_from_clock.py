"""T5: an epoch is the time at which it begins; once the clock went back it is an older one."""

import secrets
import time

from scenarios.controls import planted
from system.ubscore import UBSCore
from system.ubscore.state import State
from system.wal import reader
from system.wal.frames import EpochFrame


class _AnyEpoch(State):
    def _epoch(self, lsn: int, body: EpochFrame) -> None:  # noqa: ARG002
        self.epoch = body


class BornByTheClock(UBSCore):
    """Time only goes forward, so who is born later has the higher number."""

    state_type = _AnyEpoch

    def recover(self, contents: reader.Contents) -> None:
        """Begin an epoch that is the present millisecond."""
        self.writer.clean()
        epoch = EpochFrame(time.time_ns() // 1_000_000, secrets.token_hex(8))
        lsn = self.writer.recover(contents, epoch)
        self.state.apply(lsn, epoch)


scenario = planted(__name__, __doc__ or "", "ubscore", "BornByTheClock", "I14 I5", "clocks_go_back")
