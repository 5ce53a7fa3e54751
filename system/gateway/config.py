"""What the gateway can be told: where it listens, who may ask, and how much it takes at once."""

from typing import Annotated

import msgspec

from system.config import Kafka, Positive, Section, Sha256
from system.database import Scylla
from system.formats import Formats
from system.records import Id
from system.telemetry import Tracing

FEE_ACCOUNT = 1


class Key(Section, frozen=True):
    """One API key, known only by its SHA-256: a user's, or an operator's."""

    sha256: Sha256
    user_id: Id | None = None
    operator: bool = False

    def __post_init__(self) -> None:
        if self.operator == (self.user_id is not None):
            raise ValueError("a key has either user_id or operator = true")
        if self.user_id == FEE_ACCOUNT:
            raise ValueError("user 1 is the fee account: only operators may see it")


class Http(Section, frozen=True):
    """How the gateway serves."""

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 3001
    in_flight_max: Positive = 1_000  # commands under way at once; more are answered 429
    reading_max: Positive = 500  # questions to the database at once; more are answered 429
    look_after_ms: Positive = 2_000  # a key at least this old may be a repeat: look it up first
    look_ms_max: Positive = 250  # and how long that look may take
    skew_ms_max: Positive = 300_000  # how far ahead of our clock a request's key may lie
    grace_ms: Positive = 5_000  # how long requests under way may take to end at a stop


class Config(Section, frozen=True):
    """The configuration of the gateway."""

    kafka: Kafka
    scylla: Scylla
    keys: Annotated[tuple[Key, ...], msgspec.Meta(min_length=1)]
    gateway: Http = Http()
    formats: Formats = Formats()
    tracing: Tracing = Tracing()
