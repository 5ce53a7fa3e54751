"""The journal: what a node does, durable before it is told; read again when the node starts.

**Faithful**: in mode ``batch`` a write is acknowledged after one fdatasync for everything that came
in the same turn; in mode ``periodic`` at once, and a crash of the process takes what was not yet
written: that is done every 128 KiB and, with a sync, every 10 s (`commitlog_sync`,
`commitlog_sync_period_in_ms`). Schema changes are synced at once in both.
**Simplified**: one commit log for all tables; when it has grown by `commitlog_bytes_max` since the
last snapshot, a forked child writes a new one, and the log before it is deleted.

    commitlog-N   what happened since snapshot-N began, up to commitlog-(N+1)
    snapshot-N    everything that happened before commitlog-N
"""

import logging
import re
import time
from pathlib import Path

import msgspec

from sim.machine import Record
from sim.scylla.node import Node
from sim.tcp.cql.config import Commitlog
from sim.tcp.cql.storage.entries import (
    Adopted,
    Dropped,
    Recorder,
    Restoring,
    Started,
    decode,
    encode,
)
from sim.tcp.cql.storage.frames import TEMPORARY, Corrupt, Reading, Writing
from sim.tcp.process import Stop

LOG = logging.getLogger(__name__)

_BUFFER_BYTES = 128 * 1024
_AT_ONCE = (Adopted, Dropped, Started)  # synced at once in every mode


class Journal:
    """The commit log of one node, open for writing after `node` was made what it says."""

    def __init__(self, path: Path, node: Node, settings: Commitlog) -> None:
        self.path = path
        self.settings = settings
        self.since_snapshot = 0  # bytes of log
        self.snapshot_bytes = 0
        self._recorder = Recorder(node)
        self.number, self.log = self._recover(Restoring(node, time.time_ns()))

    def persist(self, records: list[Record]) -> None:
        """Make state changes durable, as far as the mode promises."""
        entries = self._recorder.entries(records)
        if not entries:
            return
        before = self.log.size
        self.log.append(encode(entries))
        self.since_snapshot += self.log.size - before
        if self.settings.sync == "batch" or any(isinstance(entry, _AT_ONCE) for entry in entries):
            self.log.sync()
        elif self.log.buffered >= _BUFFER_BYTES:
            self.log.flush()

    def rotate(self) -> int:
        """Begin the next log, after syncing this one; return its number."""
        self.log.sync()
        self.log.close()
        self.number += 1
        self.log = _log(self.path, self.number)
        self.since_snapshot = 0
        return self.number

    def forget(self, number: int) -> None:
        """Delete what snapshot `number` makes needless."""
        self.snapshot_bytes = snapshot_path(self.path, number).stat().st_size
        for kind in ("snapshot", "commitlog"):
            for older, path in _numbered(self.path, kind).items():
                if older < number:
                    path.unlink()

    def _recover(self, restoring: Restoring) -> tuple[int, Writing]:
        for temporary in self.path.glob(f"*{TEMPORARY}"):
            temporary.unlink()
        snapshots, logs = _numbered(self.path, "snapshot"), _numbered(self.path, "commitlog")
        first = max(snapshots, default=1)
        if snapshots:
            self.snapshot_bytes = _replay(snapshots[first], first, restoring, whole=True).size
            if not restoring.ended:
                raise Corrupt(snapshots[first], self.snapshot_bytes, "its end is missing")
        last = max(logs, default=0)
        if not logs and not snapshots:
            return 1, _log(self.path, 1)
        log: Writing | None = None
        for number in range(first, max(last, first) + 1):
            path = logs.get(number)
            if path is None:
                raise Stop(f"{_log_path(self.path, number)} is missing; restore it")
            reading = _replay(path, number, restoring, whole=number != last)
            self.since_snapshot += reading.size
            if number == last:
                if reading.torn:
                    LOG.info("%s: cut off a torn tail of %d bytes", path, reading.torn)
                # A copy: what was read may be in the page cache only, and stay there.
                log = _log(self.path, number, reading.good)
        assert log is not None
        if snapshots:
            self.forget(first)
        return last, log


def _replay(path: Path, number: int, restoring: Restoring, *, whole: bool) -> Reading:
    reading = Reading(path, number, whole=whole)
    for payload in reading.payloads:
        try:
            restoring.take(decode(payload))
        except msgspec.MsgspecError as error:
            raise Stop(f"{path} holds what this program cannot read: {error}") from error
    return reading


def _log(path: Path, number: int, content: bytes | memoryview = b"") -> Writing:
    log = Writing(_log_path(path, number), number, content)
    log.publish()
    return log


def _log_path(path: Path, number: int) -> Path:
    return path / f"commitlog-{number:08d}"


def snapshot_path(path: Path, number: int) -> Path:
    """Return where snapshot `number` of the directory `path` is."""
    return path / f"snapshot-{number:08d}"


def _numbered(path: Path, kind: str) -> dict[int, Path]:
    pattern = re.compile(rf"{kind}-(\d+)")
    found = [(pattern.fullmatch(each.name), each) for each in path.iterdir()]
    return {int(match[1]): each for match, each in found if match is not None}
