"""A node's data directory: locked by one process, stamped with whose it is."""

import fcntl
import os
from pathlib import Path

import msgspec

from sim.tcp.cql.storage.frames import sync_directory, write
from sim.tcp.process import Stop

FORMAT = 1
_LOCK, _STAMP = "lock", "stamp.json"


class Stamp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose directory it is; tokens follow from the names, so that a cluster keeps its nodes."""

    format: int
    cluster: str
    node: str
    nodes: tuple[str, ...]


class Directory:
    """The directory, open and locked until the process ends."""

    def __init__(self, path: Path, stamp: Stamp) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise Stop(f"cannot use data directory {path}: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Stop(f"data directory {path} is locked by another running node") from None
        self._check(stamp)

    def unlock(self) -> None:
        """Let go of the lock: in a child process, which must not hold it for its parent."""
        os.close(self._file)

    def _check(self, stamp: Stamp) -> None:
        place = self.path / _STAMP
        if not place.exists():
            others = sorted(set(os.listdir(self.path)) - {_LOCK, _STAMP + ".tmp"})
            if others:
                raise Stop(
                    f"data directory {self.path} belongs to no CQL node, but holds {others[0]}; "
                    "name an empty directory"
                )
            self._make(place, stamp)
            return
        try:
            found = msgspec.json.decode(place.read_bytes(), type=Stamp)
        except (OSError, msgspec.MsgspecError) as error:
            raise Stop(f"{place} cannot be read: {error}") from error
        if found.format != FORMAT:
            raise Stop(f"{self.path} has format {found.format}; this program knows {FORMAT}")
        for what in ("cluster", "node", "nodes"):
            mine, theirs = getattr(stamp, what), getattr(found, what)
            if mine != theirs:
                raise Stop(
                    f"data directory {self.path} is that of {what} {_shown(theirs)}, not of "
                    f"{_shown(mine)}; name another directory"
                )

    def _make(self, place: Path, stamp: Stamp) -> None:
        temporary = place.with_name(place.name + ".tmp")
        file = os.open(temporary, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        write(file, msgspec.json.encode(stamp))
        os.fsync(file)
        os.close(file)
        os.rename(temporary, place)
        sync_directory(self.path)


def _shown(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ", ".join(value)
