"""W23: a snapshot is named without any sync, and what is older is deleted at once."""

import os

from scenarios.controls import planted
from system.snapshots import Snapshots
from system.ubscore import UBSCore


class _Unsynced(Snapshots):
    def write(self, counter: int, state: bytes, version: int = 1) -> int:
        """Write and rename; the older ones go."""
        content = self._pack(counter, state, version)
        path = os.path.join(self.path, f"snapshot-{counter:020}.bin")
        with open(path + ".tmp", "wb") as file:
            file.write(content)
        os.rename(path + ".tmp", path)
        self._delete(self._names()[1:])
        return len(content)

    def oldest(self) -> int:
        """Return the counter of the only snapshot: it covers the log up to itself."""
        return int(self._names()[-1][len("snapshot-") : -len(".bin")])


class SyncsNever(UBSCore):
    """The system writes it out within thirty seconds anyway."""

    snapshots_type = _Unsynced


scenario = planted(__name__, __doc__ or "", "ubscore", "SyncsNever", "I7 I18 I14", "snapshots_due")
