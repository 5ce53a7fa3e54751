"""What Settlement can be told: where Kafka and the database are, and how much to do at once."""

from typing import Annotated

import msgspec

from system.config import Kafka, NonEmpty, Positive, Section
from system.database import Scylla
from system.formats import Formats
from system.metrics_http import Listen
from system.telemetry import Tracing


class Work(Section, frozen=True):
    """How Settlement works."""

    group: NonEmpty = "settlement"
    batch_max: Positive = 500  # records settled between two commits
    gather_ms: Annotated[int, msgspec.Meta(ge=0)] = (
        0  # how long a batch waits for more: fewer commits
    )
    concurrency: Positive = 64  # statements under way at once
    poll_ms: Positive = 1_000  # how long to wait for records, and for a stop to be noticed
    session_timeout_ms: Positive = 10_000  # after which the group gives a silent member's work away
    poll_interval_ms: Positive = 20_000  # the same for a stuck one; also how long joining may hang
    pause_ms: Positive = 50  # after an unacknowledged statement; doubles up to pause_ms_max
    pause_ms_max: Positive = 2_000
    hole_ms_max: Positive = 600_000  # how long a missing record may stay missing
    range_ms_max: Positive = 10_000  # how long a partition may seem to end below our position
    held_max: Positive = 5_000  # records taken in while the database is away
    accounts_max: Positive = 100_000  # chains kept in memory


class Config(Section, frozen=True):
    """The configuration of Settlement."""

    kafka: Kafka
    scylla: Scylla
    settlement: Work = Work()
    metrics: Listen = Listen()
    formats: Formats = Formats()
    tracing: Tracing = Tracing()
