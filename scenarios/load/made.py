"""All that a load came to, before it is put into figures."""

from dataclasses import dataclass, field

from reports.breaks import Break, Verdict
from reports.live.outcome import Outcome
from reports.load import Band, Machine, Trial, Usage
from scenarios.load.figures import Window
from scenarios.load.samples import Samples
from scenarios.scenario import Plan


@dataclass(slots=True)
class Made:
    """Filled in phase by phase; times are nanoseconds since the start of the run."""

    samples: Samples
    begin_ns: int = 0
    window: Window = field(default_factory=lambda: Window(0, 0))
    stopped_ns: int = 0  # when sending ended
    end_ns: int = 0  # when everything had settled
    rate: float = 0.0
    plan: Plan = ()
    instances: dict[str, int] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    trials: list[Trial] = field(default_factory=list)
    usage: tuple[Usage, ...] = ()
    machine: Machine | None = None
    bands: tuple[Band, ...] = ()
    untested: tuple[str, ...] = ()
    baseline: list[float] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    outcome: Outcome | None = None
    interrupted: bool = False
    died: str = ""  # which server did, if one did; the load ended there

    @property
    def verdict(self) -> Verdict:
        """Held only if everything acknowledged has settled, and the ledger reconciles."""
        found = self.outcome
        if self.breaks or (found is not None and found.breaks):
            return "broken"
        settled = self.samples.settled_count
        return "unknown" if self.unknown or found is None or not settled else "held"
