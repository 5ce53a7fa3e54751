"""The matching engine's configuration file."""

from typing import Annotated

import msgspec

from system.config import Kafka, NonEmpty, Positive, Section, Topics
from system.formats import Formats
from system.inputs import Patience
from system.metrics_http import Listen
from system.telemetry import Tracing

GROUP = "engine"


class Matching(Section, frozen=True):
    """The instance, its directory and its limits; nothing here affects any output."""

    data: NonEmpty
    instance: Positive = 1
    instances: Positive = 1
    batch: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 256  # records taken in at a time
    idle_ms: Positive = 1_000  # how long to wait for input at a time
    lag_ms: Positive = 10_000  # how long a new leader's shorter log is asked again
    hole_ms_max: Positive = 600_000  # how long a missing record may stay missing
    unacknowledged_max: Positive = 20_000  # records on their way out before input has to wait
    snapshot_every: Positive = 100_000  # records between two snapshots
    snapshot_every_ms: Positive = 3_600_000  # the same for a quiet instance
    commit_every_ms: Positive = 5_000  # group offsets, for dashboards only
    stop_ms: Positive = 10_000  # how long a graceful stop waits for acknowledgements

    @property
    def patience(self) -> Patience:
        """How long the input is waited for."""
        return Patience(self.lag_ms, self.commit_every_ms)

    def __post_init__(self) -> None:
        if self.instance > self.instances:
            raise ValueError("instance must be one of 1 .. instances")


class Settings(Section, frozen=True):
    """The whole file."""

    engine: Matching
    kafka: Kafka
    topics: Topics = Topics()
    formats: Formats = Formats()
    metrics: Listen = Listen()
    tracing: Tracing = Tracing()

    def __post_init__(self) -> None:
        if self.engine.instances > self.topics.partitions:
            raise ValueError("engine.instances must not exceed topics.partitions")

    @property
    def owned(self) -> tuple[int, ...]:
        """The partitions of this instance, in every topic keyed by symbol."""
        own = self.engine
        count = self.topics.partitions
        return tuple(p for p in range(count) if p % own.instances == own.instance - 1)
