"""UBSCore's metrics, in a registry of their own."""

from collections import Counter as Counts
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from system.wal.frames import CommandFrame

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
        self.lsn = Gauge("ubscore_lsn", "Last durable LSN", registry=self.registry)
        self.waiting = Gauge(
            "ubscore_unacknowledged", "Records not yet acknowledged", registry=self.registry
        )

    def batch(self, batch: Sequence[tuple[int, CommandFrame]], lsn: int, waiting: int) -> None:
        """Count a batch that was made durable and published."""
        for decision, frames in Counts(frame.decision for _, frame in batch).items():
            self.commands.labels(decision).inc(frames)
        self.sizes.observe(len(batch))
        self.lsn.set(lsn)
        self.waiting.set(waiting)
