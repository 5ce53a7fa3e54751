"""W4: whatever does not hold ends the log, as a torn tail does; what was synced is cut off."""

from dataclasses import replace

from scenarios.catalog.rotten_log import scenario as rotten_log
from system.errors import Halt
from system.ubscore import UBSCore
from system.wal import reader
from system.wal.packing import HEADER_BYTES


class CutsItOff(UBSCore):
    """Would rather serve than ask somebody."""

    def read_log(self) -> reader.Contents:
        """Shorten the last file until the rest of it can be read."""
        files = reader.read_directory(self.directory.path)
        last = reader.effective(files)[0][-1]
        while True:
            try:
                return reader.read(files, self.state.lsn)
            except Halt:
                if len(files[last]) <= HEADER_BYTES:
                    raise
                files[last] = files[last][:-8]

    def verify(self) -> None:
        """Believe the log, not what was published from it."""


scenario = replace(
    rotten_log,
    name="w4_rot_is_a_tear",
    story=__doc__ or "",
    programs=(("ubscore", f"{__name__}:CutsItOff"),),
    expect=("I18",),
)
