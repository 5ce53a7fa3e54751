"""UBSCore's metrics, in a registry of their own."""

from collections import Counter as Counts
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from system.wal.frames import CommandFrame, EngineFrame

_SECONDS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
_SIZES = (1, 4, 16, 64, 256, 1024, 4096)


class Metrics:
    """What an operator watches."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.commands = Counter(
            "ubscore_commands", "Commands framed", ["decision"], registry=self.registry
        )
        self.sizes = Histogram(
            "ubscore_batch_commands", "Commands per sync", buckets=_SIZES, registry=self.registry
        )
        self.commit = Histogram(
            "ubscore_commit_seconds", "Write and sync", buckets=_SECONDS, registry=self.registry
        )
        self.fills = Counter(
            "ubscore_engine_outputs", "Engine outputs with effects here", registry=self.registry
        )
        self.snapshot = Histogram(
            "ubscore_snapshot_seconds", "Write and check", buckets=_SECONDS, registry=self.registry
        )
        self.snapshot_bytes = Gauge(
            "ubscore_snapshot_bytes", "Size of the last snapshot", registry=self.registry
        )
        self.recovery = Gauge(
            "ubscore_recovery_seconds", "From snapshot and log to a state", registry=self.registry
        )
        self.orders = Gauge("ubscore_orders", "Orders remembered", registry=self.registry)
        self.holes = Gauge(
            "ubscore_holes", "Symbols whose next output is missing", registry=self.registry
        )
        self.lsn = Gauge("ubscore_lsn", "Last durable LSN", registry=self.registry)
        self.waiting = Gauge(
            "ubscore_unacknowledged", "Records not yet acknowledged", registry=self.registry
        )

    def batch(
        self, batch: Sequence[tuple[int, CommandFrame | EngineFrame]], lsn: int, waiting: int
    ) -> None:
        """Count a batch that was made durable and published."""
        decisions = Counts(f.decision for _, f in batch if isinstance(f, CommandFrame))
        for decision, frames in decisions.items():
            self.commands.labels(decision).inc(frames)
        self.fills.inc(len(batch) - decisions.total())
        self.sizes.observe(len(batch))
        self.lsn.set(lsn)
        self.waiting.set(waiting)
