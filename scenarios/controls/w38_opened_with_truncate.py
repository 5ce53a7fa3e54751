"""W38: the log is opened for writing before it is read, and that empties it."""

import os

from scenarios.controls import planted
from system.ubscore import UBSCore
from system.wal import reader
from system.wal.packing import HEADER_BYTES


class OpensForWriting(UBSCore):
    """A file has to be opened before anything can be done with it."""

    def read_log(self) -> reader.Contents:
        """Open the last file as a new one, with its header, then read it."""
        files = reader.read_directory(self.directory.path)
        last = reader.effective(files)[0][-1]
        with open(os.path.join(self.directory.path, last), "wb") as file:
            file.write(files[last][:HEADER_BYTES])
        return super().read_log()


scenario = planted(__name__, __doc__ or "", "ubscore", "OpensForWriting", "I18 I14 I7")
