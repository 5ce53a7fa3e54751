"""What a load is told, checked before anything is started."""

from dataclasses import dataclass
from typing import Literal

from scenarios.errors import UsageError
from scenarios.load.arrivals import Spacing
from scenarios.load.told import Told

SECOND = 10**9

TRIAL_S = 8.0
CONNECTIONS = 64
_REQUESTS_MAX = 5_000_000  # what is kept of each takes memory

Through = Literal["http", "topic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A load; times in seconds, `bound_ms` is what a search holds (None: no search)."""

    through: Through = "http"
    rate: float = 200.0
    lasts_s: float = 20.0
    warm_up_s: float = 5.0
    spacing: Spacing = "poisson"
    users: int = 1000
    connections: int = CONNECTIONS
    seed: int = 1
    gateways: int = 1
    shards: int = 1
    settlements: int = 1
    engines: int | None = None  # None: those of the scenario; with any, orders are sent as well
    partitions: int = 4
    told: Told = ()  # what programs are told besides
    bound_ms: float | None = None
    trial_s: float = TRIAL_S
    baseline_s: float = 0.0
    faults_needed: bool = False  # one that cannot be had here is refused, not left out

    def __post_init__(self) -> None:
        for option, value in (
            ("--rate", self.rate),
            ("--duration", self.lasts_s),
            ("--trial", self.trial_s),
        ):
            if not 0 < value < float("inf"):
                raise UsageError(f"{option} {value:g}: it must be a number above 0")
        if not 0 <= self.warm_up_s < float("inf"):
            raise UsageError(f"--warm-up {self.warm_up_s:g}: it must not be less than 0")
        if self.rate * self.whole_s > _REQUESTS_MAX:
            count = self.rate * self.whole_s
            raise UsageError(
                f"--rate {self.rate:g} for {self.whole_s:g} s are {count:,.0f} requests:"
                f" {_REQUESTS_MAX:,} are as many as one load keeps account of"
            )
        if self.bound_ms is not None and self.bound_ms <= 0:
            raise UsageError(f"--p99 {self.bound_ms:g}ms: it must be a number above 0")
        for option, count in (
            ("--settlements", self.settlements),
            ("--shards", self.shards),
            ("--engines", self.engines or 0),
        ):
            if count > self.partitions:
                raise UsageError(
                    f"{option} {count} share {self.partitions} partitions: some would have nothing"
                    f" to do; add --partitions {count}"
                )
        if self.through == "topic" and self.gateways != 1:
            raise UsageError("--gateways is about --through http; the topic needs no gateway")

    @property
    def whole_s(self) -> float:
        """How long the load lasts, warm-up included."""
        return self.warm_up_s + self.lasts_s
