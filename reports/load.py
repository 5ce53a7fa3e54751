"""What a load came to: figures of one run, and whether they count."""

import msgspec

from reports.breaks import Break, Verdict
from reports.live.outcome import Outcome

KEEPS_UP = 0.9  # of a rate: what is below has fallen behind


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Percentiles of one stage, from the intended time of sending.

    `count` and the percentiles are of requests that were meant to be sent in the measured window,
    `rate_s` is how many a second came to the end of the stage in it, whenever they were meant to.
    """

    name: str
    meaning: str
    count: int
    rate_s: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """One second of the load; latencies are of what settled in it, None if nothing did."""

    at_s: int
    offered: int
    settled: int
    p50_ms: float | None = None
    p99_ms: float | None = None


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One rate that the search tried."""

    rate: float
    settled_rate: float
    p99_ms: float
    held: bool
    why: str


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """CPU time that a process took from the first request until the last had settled."""

    name: str
    cpu_s: float

    @property
    def stage(self) -> str:
        """What programs of its kind are called: gateway of gateway-2."""
        stem, _, number = self.name.rpartition("-")
        return stem if number.isdigit() else self.name


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What all processes of the machine took meanwhile, those of others included."""

    cores: int
    busy: float  # the share of all cores' time


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """A fault as it went; times from the start of the load, None if it never came."""

    fault: str
    from_s: float | None
    to_s: float | None
    effects: str


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """All of a load, warm-up included, until the last of it had settled.

    If more was sent than could be settled meanwhile, this rate is what the deployment can do.
    """

    lasts_s: float
    requests_s: float
    rows_s: float


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """What a bare concurrent client inserted, of the same rows into the same tables."""

    rows_s: tuple[float, ...]  # before the load, and after it
    concurrency: int

    @property
    def mean(self) -> float:
        """Rows a second."""
        return sum(self.rows_s) / len(self.rows_s) if self.rows_s else 0.0


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Requests of the whole load, warm-up included, by what became of them."""

    sent: int
    acknowledged: int
    refused: int
    unknown: int
    settled: int
    answers: dict[str, int]  # answers and errors, repeated attempts included


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a load; they count only if the verdict is held."""

    name: str
    verdict: Verdict
    servers: str
    command: str
    through: str
    spacing: str
    rate: float
    seed: int
    users: int
    instances: dict[str, int]
    warm_up_s: float
    measured_s: float
    offered_s: float  # requests a second within the measured window
    settled_s: float
    rows_s: float
    whole: Whole | None  # None: nothing was measured
    counts: Counts
    latencies: tuple[Latency, ...]
    slices: tuple[Slice, ...]
    usage: tuple[Usage, ...]
    machine: Machine | None = None
    bands: tuple[Band, ...] = ()
    untested: tuple[str, ...] = ()
    trials: tuple[Trial, ...] = ()
    bound_ms: float | None = None
    baseline: Baseline | None = None
    breaks: tuple[Break, ...] = ()
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    interrupted: bool = False
    outcome: Outcome | None = None

    @property
    def title(self) -> str:
        """What it is called: by its scenario, if it has one."""
        return "load" if self.name == "load" else f"load on {self.name}"

    @property
    def ratio(self) -> float | None:
        """Rows settled a second, as a share of what the bare client inserted."""
        if self.baseline is None or not self.baseline.mean:
            return None
        return self.rows_s / self.baseline.mean
