"""Writing the log: group commit, files that roll by size, and opening it after anything.

Any error of a write, sync or rename ends the process: after a failed sync nobody knows what is
durable, and a second sync proves nothing. A file is deleted only when a copy of a higher generation
supersedes it, or when snapshots and acknowledgements cover all of it.
"""

import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, ParamSpec, TypeVar

from system.errors import LogError
from system.wal import reader
from system.wal.frames import AnyBody, EpochFrame, kind_of
from system.wal.packing import MAX_UNSYNCED, Frame, Header, crc_of, pack, pack_header

P = ParamSpec("P")
R = TypeVar("R")


class Shape(NamedTuple):
    """What every file of one log has in common."""

    shard: int
    identity: int
    file_bytes: int  # a file that has grown beyond this is followed by another


class Took(NamedTuple):
    """How long the two halves of a commit took."""

    write_s: float
    sync_s: float


class End(NamedTuple):
    """The last frame that was written."""

    lsn: int
    crc: int


class Writer:
    """The open log of one data directory: append any number of frames, then `commit` them.

    Or `begin` the commit, append further frames while a thread waits for the disk, and `finish`.
    """

    def __init__(self, directory: str, shape: Shape) -> None:
        self.directory = directory
        self.shape = shape
        self.generation = 0
        self.next_lsn = 1
        self.synced_lsn = 0
        self.previous = 0
        self.size = 0
        self._descriptor = -1
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._written = End(0, 0)
        self._thread: ThreadPoolExecutor | None = None
        self._write_s = 0.0
        self._syncing: Future[float] | None = None

    def append(self, body: AnyBody) -> int:
        """Add a frame to the coming commit; return its LSN."""
        kind, version, payload = kind_of(body)
        frame = pack(
            kind,
            payload,
            lsn=self.next_lsn,
            generation=self.generation,
            previous=self.previous,
            synced_lsn=self.synced_lsn,
            version=version,
        )
        if self._pending_bytes + len(frame) > MAX_UNSYNCED:
            raise LogError(
                f"a batch of more than {MAX_UNSYNCED} bytes; take fewer commands at once"
            )
        self.previous = crc_of(frame)
        self._pending.append(frame)
        self._pending_bytes += len(frame)
        self.next_lsn += 1
        return self.next_lsn - 1

    def commit(self) -> Took | None:
        """Make every appended frame durable: one write, one sync. Returns only if they are.

        Returns how long that took; None if there was nothing to do.
        """
        assert self._syncing is None, "one sync at a time"
        if not self._pending:
            return None
        return self._durable(Took(_timed(self.write), _timed(self.sync)))

    def begin(self) -> None:
        """Begin a commit: write, and have a thread sync. Nothing is durable before `finish`.

        What is appended meanwhile stays in memory until then, so that never more than one commit
        is written and not synced.
        """
        assert self._syncing is None, "one sync at a time"
        if self._pending:
            if self._thread is None:
                self._thread = ThreadPoolExecutor(1, "log-sync")
            self._write_s = _timed(self.write)
            self._syncing = self._thread.submit(_timed, self.sync)

    def finish(self) -> Took | None:
        """Wait for the commit that was begun; return how long it took, None if none was."""
        if self._syncing is None:
            return None
        sync_s = self._syncing.result()
        self._syncing = None
        return self._durable(Took(self._write_s, sync_s))

    def _durable(self, took: Took) -> Took:
        if self.size >= self.shape.file_bytes:
            self.roll()
        return took

    def write(self) -> None:
        """Hand the appended frames to the operating system, which promises nothing yet."""
        data = b"".join(self._pending)
        self._pending.clear()
        self._pending_bytes = 0
        self._write_all(self._descriptor, data)
        self.size += len(data)
        self._written = End(self.next_lsn - 1, self.previous)

    def sync(self) -> None:
        """Wait until all that was written is on the medium."""
        self._guard("syncing the log", os.fdatasync, self._descriptor)
        self.synced_lsn = self._written.lsn

    def roll(self) -> None:
        """Go on in a new file; the old one is complete and synced."""
        self._release()
        self._create(self._written.lsn + 1, self._written.crc, self.synced_lsn, [])

    @property
    def full(self) -> bool:
        """Whether the coming commit is so large that it should not wait for more."""
        return self._pending_bytes > MAX_UNSYNCED // 2

    def cut(self, lsn: int) -> int:
        """Delete the files whose frames are all at or below `lsn`; return how many there were."""
        names = reader.effective(self._guard("listing the directory", os.listdir, self.directory))
        past = reader.before(names[0], lsn + 1)
        if past:
            self.sync_directory()  # so that what these files supersede stays deleted
            self.discard(past)
        return len(past)

    def close(self) -> None:
        """Close the current file; what was not committed is dropped."""
        if self._thread is not None:
            self._thread.shutdown()
        self._release()

    def _release(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            self._guard("closing the log", os.close, descriptor)

    # -- opening -------------------------------------------------------------------------------

    def format(self) -> None:
        """Make the first, empty file of a new log."""
        self.generation = 1
        self._create(1, 0, 0, [])
        self.close()

    def recover(self, contents: reader.Contents, epoch: EpochFrame) -> int:
        """Start a new generation behind all that `contents` holds; return the epoch frame's LSN.

        What was read may have come from a page cache that was never synced, so the last file's
        frames are copied, with the new epoch behind them, into a file of a higher generation.
        Only when that is synced, named, and its name is synced, does the copy count.
        """
        tail = contents.headers[-1]
        frames = [f for f in contents.frames if f.lsn >= tail.first_lsn]
        self.generation = tail.generation + 1
        self.previous = tail.previous
        self.next_lsn = tail.first_lsn
        epoch_lsn = contents.last_lsn + 1
        copies = [self._copied(frame, epoch_lsn) for frame in frames]
        kind, version, payload = kind_of(epoch)
        copies.append(self._framed(kind, payload, epoch_lsn, version))
        self._create(tail.first_lsn, tail.previous, epoch_lsn, copies)
        self.synced_lsn = epoch_lsn
        self.discard((*contents.superseded, contents.files[-1]))
        return epoch_lsn

    def discard(self, names: tuple[str, ...]) -> None:
        """Delete files that are superseded; a crash before this only delays it."""
        for name in names:
            self._guard("deleting a superseded file", os.unlink, self._path(name))

    def clean(self) -> None:
        """Delete what an interrupted creation left behind."""
        for name in sorted(self._guard("listing the directory", os.listdir, self.directory)):
            if name.endswith(".log.tmp"):
                self._guard("deleting a temporary file", os.unlink, self._path(name))

    def sync_directory(self) -> None:
        """Make names durable: a synced file without a name is lost with the power."""
        descriptor = self._guard("opening the directory", os.open, self.directory, os.O_RDONLY)
        self._guard("syncing the directory", os.fsync, descriptor)
        self._guard("closing the directory", os.close, descriptor)

    # -- underneath ----------------------------------------------------------------------------

    def _copied(self, frame: Frame, synced_lsn: int) -> bytes:
        return self._framed(frame.kind, frame.payload, synced_lsn, frame.version)

    def _framed(self, kind: int, payload: bytes, synced_lsn: int, version: int) -> bytes:
        """Pack a frame of the file being copied; all of it is synced before it gets its name."""
        frame = pack(
            kind,
            payload,
            lsn=self.next_lsn,
            generation=self.generation,
            previous=self.previous,
            synced_lsn=synced_lsn,
            version=version,
        )
        self.previous = crc_of(frame)
        self.next_lsn += 1
        return frame

    def _create(self, first_lsn: int, previous: int, synced_lsn: int, frames: list[bytes]) -> None:
        """Make a file under a temporary name, sync it, name it, sync the name; leave it open."""
        header = Header(
            generation=self.generation,
            shard=self.shape.shard,
            first_lsn=first_lsn,
            synced_lsn=synced_lsn,
            identity=self.shape.identity,
            previous=previous,
        )
        path = self._path(reader.file_name(self.generation, first_lsn))
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        self._descriptor = self._guard("creating a file", os.open, path + ".tmp", flags, 0o600)
        data = b"".join([pack_header(header), *frames])
        self._write_all(self._descriptor, data)
        self._guard("syncing a new file", os.fsync, self._descriptor)
        self._guard("naming a new file", os.rename, path + ".tmp", path)
        self.sync_directory()
        self.size = len(data)
        self._written = End(first_lsn + len(frames) - 1, crc_of(frames[-1]) if frames else previous)

    def _write_all(self, descriptor: int, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            written = self._guard("writing the log", os.write, descriptor, rest)
            if written <= 0:
                raise LogError(f"writing the log in {self.directory}: nothing was written")
            rest = rest[written:]

    def _guard(self, what: str, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return call(*args, **kwargs)
        except OSError as error:
            raise LogError(f"{what} in {self.directory}: {error}") from error

    def _path(self, name: str) -> str:
        return os.path.join(self.directory, name)


def _timed(call: Callable[[], None]) -> float:
    """Return how many seconds a call took."""
    began_s = time.perf_counter()
    call()
    return time.perf_counter() - began_s
