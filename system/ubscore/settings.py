"""UBSCore's configuration file."""

from typing import Annotated

import msgspec

from system.config import Kafka, NonEmpty, Positive, Section, Topics
from system.formats import Formats
from system.inputs import Patience
from system.marks import Place
from system.metrics_http import Listen
from system.records import EVENTS, OPERATIONS, ORDERS, OUTPUTS, PPM
from system.telemetry import Tracing

GROUP = "ubscore"


Ppm = Annotated[int, msgspec.Meta(ge=0, le=PPM)]


class Core(Section, frozen=True):
    """The shard, its directory and its limits."""

    data: NonEmpty  # {shard} in it stands for the number of the shard
    shard: Positive = 1
    shards: Positive = 1
    batch: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 256  # commands per sync at most
    idle_ms: Positive = 1000  # how long to wait for input at a time
    lag_ms: Positive = 10_000  # how long a new leader's shorter log is asked again
    horizon_ms: Positive = 24 * 3600 * 1000  # how long request keys are remembered
    maker_ppm: Ppm = 1000  # fees in parts per million; each order keeps those it was taken with
    taker_ppm: Ppm = 1500
    hole_ms_max: Positive = 600_000  # how long a missing engine output may stay missing
    snapshot_every: Positive = 100_000  # frames between two snapshots
    unacknowledged_max: Positive = 20_000  # records on their way out before input has to wait
    file_bytes: Annotated[int, msgspec.Meta(ge=4096)] = 64 * 1024 * 1024
    frame_every_ms: Positive = 3_600_000  # position and mark frames of a quiet shard
    commit_every_ms: Positive = 5_000  # group offsets, for dashboards only
    stop_ms: Positive = 10_000  # how long a graceful stop waits for acknowledgements
    dump: str = ""  # where SIGUSR1 writes the balances; default: balances.json in `data`
    dump_at_start: bool = False  # also write them after recovery, before any input

    @property
    def directory(self) -> str:
        """The data directory of the shard, which has one of its own."""
        return self.data.replace("{shard}", str(self.shard))

    @property
    def patience(self) -> Patience:
        """How long the input is waited for."""
        return Patience(self.lag_ms, self.commit_every_ms)

    def __post_init__(self) -> None:
        if self.shard > self.shards:
            raise ValueError("shard must be one of 1 .. shards")


class Settings(Section, frozen=True):
    """The whole file."""

    ubscore: Core
    kafka: Kafka
    topics: Topics = Topics()
    formats: Formats = Formats()
    metrics: Listen = Listen()
    tracing: Tracing = Tracing()

    def __post_init__(self) -> None:
        if self.ubscore.shards > self.topics.partitions:
            raise ValueError("ubscore.shards must not exceed topics.partitions")
        if self.ubscore.horizon_ms >= self.topics.retention_ms:
            raise ValueError("ubscore.horizon_ms must be below topics.retention_ms")

    @property
    def owned(self) -> tuple[int, ...]:
        """The partitions of this shard, in every topic keyed by user."""
        core = self.ubscore
        return tuple(p for p in range(self.topics.partitions) if p % core.shards == core.shard - 1)

    @property
    def inputs(self) -> tuple[Place, ...]:
        """What this shard reads: its own users' operations, and all that the engine does."""
        every = range(self.topics.partitions)
        return (*((OPERATIONS, p) for p in self.owned), *((OUTPUTS, p) for p in every))

    @property
    def outputs(self) -> tuple[Place, ...]:
        """What this shard writes: its own users' events, and orders of any symbol."""
        every = range(self.topics.partitions)
        return (*((EVENTS, p) for p in self.owned), *((ORDERS, p) for p in every))
