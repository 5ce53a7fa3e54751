"""From samples to figures: windows, rates, percentiles, and slices of a second."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.load import KEEPS_UP, Counts, Latency, Slice, Trial, Whole
from scenarios.load import histograms
from scenarios.load.samples import OK, REFUSED, Samples
from scenarios.load.settings import SECOND

_FOREVER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the run, in nanoseconds since its start."""

    begin_ns: int
    end_ns: int

    @property
    def lasts_s(self) -> float:
        """Its length."""
        return max(self.end_ns - self.begin_ns, 1) / SECOND


def latencies(samples: Samples, window: Window) -> tuple[Latency, ...]:
    """Return the percentiles of each stage, of requests meant to be sent in the window."""
    numbers = list(samples.within(window.begin_ns, window.end_ns))
    made = histograms.of_stages(samples, numbers)
    return tuple(
        histograms.latency(name, meaning, made[name], _came(samples, name, window))
        for name, meaning in histograms.STAGES
    )


def _came(samples: Samples, stage: str, window: Window) -> float:
    """Return how many requests a second came to the end of a stage."""
    ends = getattr(samples, stage)
    return sum(1 for at in ends if window.begin_ns <= at < window.end_ns) / window.lasts_s


def offered(samples: Samples, window: Window) -> float:
    """Return how many requests a second were meant to be sent."""
    return sum(1 for _ in samples.within(window.begin_ns, window.end_ns)) / window.lasts_s


def settled(samples: Samples, window: Window) -> tuple[float, float]:
    """Return how many requests, and how many of their rows, settled a second."""
    numbers = list(samples.settled_within(window.begin_ns, window.end_ns))
    rows = sum(samples.rows[number] for number in numbers)
    return len(numbers) / window.lasts_s, rows / window.lasts_s


def whole(samples: Samples, begin_ns: int) -> Whole | None:
    """Return what settled of all that was sent since `begin_ns`, and how long that took."""
    numbers = [n for n in samples.within(begin_ns, _FOREVER) if samples.settled[n]]
    if not begin_ns or not numbers:
        return None
    end_ns = max(samples.settled[number] for number in numbers)
    lasts_s = Window(begin_ns, end_ns).lasts_s
    rows = sum(samples.rows[number] for number in numbers)
    return Whole(lasts_s=lasts_s, requests_s=len(numbers) / lasts_s, rows_s=rows / lasts_s)


def slices(samples: Samples, begin_ns: int, end_ns: int) -> tuple[Slice, ...]:
    """Return the load second by second, from its start until everything had settled."""
    seconds = max(-(-(end_ns - begin_ns) // SECOND), 1)
    sent = [0] * seconds
    found: list[list[int]] = [[] for _ in range(seconds)]
    for at, end in zip(samples.intended, samples.settled, strict=True):
        if begin_ns <= at < end_ns:
            sent[(at - begin_ns) // SECOND] += 1
        if end and begin_ns <= end < end_ns:
            found[(end - begin_ns) // SECOND].append(end - at)
    return tuple(_slice(at, sent[at], sorted(found[at])) for at in range(seconds))


def _slice(at_s: int, sent: int, took: Sequence[int]) -> Slice:
    if not took:
        return Slice(at_s=at_s, offered=sent, settled=0)
    made = histograms.histogram(took)
    return Slice(
        at_s=at_s,
        offered=sent,
        settled=len(took),
        p50_ms=float(made.get_value_at_percentile(50)) / 1000,
        p99_ms=float(made.get_value_at_percentile(99)) / 1000,
    )


def trial(samples: Samples, window: Window, rate: float, bound_ms: float) -> Trial:
    """Judge a rate that was tried: everything in the window settled, in time, at that rate."""
    numbers = list(samples.within(window.begin_ns, window.end_ns))
    made = histograms.of_stages(samples, numbers)["settled"]
    p99_ms = histograms.latency("settled", "", made).p99_ms
    settled_rate, _ = settled(samples, window)
    left = sum(1 for number in numbers if not samples.settled[number])
    why = ""
    if left:
        why = f"{left} of {len(numbers)} did not settle in time"
    elif settled_rate < KEEPS_UP * len(numbers) / window.lasts_s:
        why = f"only {settled_rate:.0f}/s settled of {len(numbers) / window.lasts_s:.0f}/s"
    elif p99_ms > bound_ms:
        why = "above the bound"
    return Trial(rate=rate, settled_rate=settled_rate, p99_ms=p99_ms, held=not why, why=why)


def counts(samples: Samples, answers: dict[str, int]) -> Counts:
    """Return what became of all requests."""
    acknowledged = sum(1 for answer in samples.answer if answer == OK)
    refused = sum(1 for answer in samples.answer if answer == REFUSED)
    return Counts(
        sent=len(samples),
        acknowledged=acknowledged,
        refused=refused,
        unknown=len(samples) - acknowledged - refused,
        settled=sum(1 for at in samples.settled if at),
        answers=dict(sorted(answers.items())),
    )
