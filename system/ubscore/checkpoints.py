"""Checkpoints: snapshots of the state that bound recovery, and the log that they make superfluous.

A snapshot is taken only of durable frames. Of the log everything stays that the older of the two
kept snapshots does not cover, or that Kafka has not acknowledged.
"""

import time

from system.log import Log
from system.snapshots import Snapshots
from system.ubscore import image
from system.ubscore.metrics import Metrics
from system.ubscore.state import State
from system.wal.writer import Writer


class Checkpoints:
    """The snapshots of one shard."""

    def __init__(self, snapshots: Snapshots, metrics: Metrics, log: Log) -> None:
        self.snapshots = snapshots
        self.metrics = metrics
        self.log = log
        self.lsn = 0  # of the last snapshot

    def restore(self, state: State) -> None:
        """Take over the newest whole snapshot; without one begin at the beginning."""
        self.snapshots.clean()
        snapshot = self.snapshots.latest()
        if snapshot is not None:
            image.restore(state, snapshot)
            self.lsn = state.lsn
            self.log.info("restored", snapshot=snapshot.name, lsn=state.lsn)

    def take(self, state: State, writer: Writer) -> None:
        """Write a snapshot of the state, go on in a new log file, and delete what is covered."""
        assert state.lsn == writer.synced_lsn, "a snapshot holds nothing that is not durable"
        began_s = time.perf_counter()
        version = image.version_of(state, self.snapshots.version)
        size = self.snapshots.write(state.lsn, image.encode(state, version), version)
        self.lsn = state.lsn
        writer.roll()
        files = writer.cut(min(self.snapshots.oldest(), state.mark.lsn))
        self.metrics.snapshot.observe(time.perf_counter() - began_s)
        self.metrics.snapshot_bytes.set(size)
        self.metrics.snapshot_at.set(time.time())
        self.log.info("snapshot", lsn=state.lsn, bytes=size, files_deleted=files)
