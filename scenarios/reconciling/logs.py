"""Reading the logs of UBSCore beside it: no lock, no change, while it appends and recovers.

All files that count are opened, then the directory is listed once more: if a recovery has put
others in place, all is opened anew. From then on the open files and their sizes are the cut: what
is appended lies behind it, and what is deleted stays readable.
"""

import os
import time
from collections.abc import Callable, Iterator

from reports.live.log import walk
from scenarios.errors import Infrastructure, Unreadable, UsageError
from scenarios.reconciling.pace import Pace
from system.directory import DataDirectory
from system.engine.cluster import Instance
from system.errors import Stop
from system.ubscore.cluster import Shard
from system.wal import reader
from system.wal.packing import Frame

_TRIES = 50
_PAUSE_S = 0.02
_PART = 2**20  # bytes read at a time


class OpenLog:
    """One shard's log as of the moment it was opened, read at a pace of so many bytes."""

    def __init__(
        self, path: str, pace: Pace, sleep_s: Callable[[float], None] = time.sleep
    ) -> None:
        self.path = path
        self.pace = pace
        self.sleep_s = sleep_s
        self.identity = _identity(path)
        self.files: list[tuple[str, int, int]] = []  # name, descriptor, size

    @property
    def partitions(self) -> tuple[int, ...]:
        """The partitions that this shard decides."""
        own = self.identity
        return tuple(p for p in range(own.partitions) if p % own.shards == own.shard - 1)

    def open(self) -> None:
        """Open the files that count now."""
        for _ in range(_TRIES):
            names = self._names()
            if self._open(names) and self._names()[: len(names)] == names:
                return
            self.close()
            self.sleep_s(_PAUSE_S)
        raise Unreadable(f"{self.path}: the log's files changed {_TRIES} times while being opened")

    def frames(self) -> Iterator[Frame]:
        """Yield the frames as of the cut, by LSN; `Stop` says what is damaged."""
        return walk((name, self._read(name, fd, size)) for name, fd, size in self.files)

    def close(self) -> None:
        """Close the files."""
        for _, descriptor, _ in self.files:
            os.close(descriptor)
        self.files = []

    def _names(self) -> tuple[str, ...]:
        try:
            found = reader.effective(os.listdir(self.path))[0]
        except OSError as error:
            raise _denied(self.path, error) from None
        if not found:
            raise UsageError(f"{self.path} holds no log file: is it UBSCore's data directory?")
        return found

    def _open(self, names: tuple[str, ...]) -> bool:
        for name in names:
            path = os.path.join(self.path, name)
            try:
                descriptor = os.open(path, os.O_RDONLY)
            except FileNotFoundError:
                return False
            except OSError as error:
                raise _denied(path, error) from None
            self.files.append((name, descriptor, os.fstat(descriptor).st_size))
        return True

    def _read(self, name: str, descriptor: int, size: int) -> bytes:
        try:
            return self._read_all(descriptor, size)
        except OSError as error:
            raise Unreadable(f"{os.path.join(self.path, name)}: {error.strerror}") from None

    def _read_all(self, descriptor: int, size: int) -> bytes:
        parts = []
        offset = 0
        while part := os.pread(descriptor, min(size - offset, _PART), offset):
            parts.append(part)
            offset += len(part)
            self.pace.take(len(part))
        return b"".join(parts)


def _identity(path: str) -> Shard:
    if not os.path.isdir(path):
        raise UsageError(f"--wal {path} is no directory: name UBSCore's data directory")
    try:
        identity = DataDirectory(path, Shard).identity()
    except Stop as stop:
        if _is_engines(path):
            raise UsageError(f"--wal {path} is the matching engine's, name UBSCore's") from None
        raise Infrastructure(f"--wal {path}: {stop.message}") from None
    if identity is None:
        raise UsageError(f"--wal {path} is no data directory of UBSCore: it has no directory.json")
    return identity


def _is_engines(path: str) -> bool:
    try:
        return DataDirectory(path, Instance).identity() is not None
    except Stop:
        return False


def _denied(path: str, error: OSError) -> Infrastructure:
    return Infrastructure(f"{path} cannot be read: {error.strerror}; read access is enough")
