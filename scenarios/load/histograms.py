"""Latencies as HDR histograms: three significant digits from a microsecond to an hour."""

import io
from array import array
from collections.abc import Iterable, Sequence
from typing import Any

from hdrh.histogram import HdrHistogram

from reports.load import Latency
from scenarios.load.samples import Samples

_MICROSECOND = 1_000
_HOUR_US = 3_600_000_000
_DIGITS = 3
STAGES = (
    ("sent", "meant to be sent until the load generator came to it"),
    ("acknowledged", "until acknowledged (202, or Kafka's own)"),
    ("decided", "until its event was appended"),
    ("settled", "until a commit of Settlement that covers its rows was seen"),
)


def histogram(latencies_ns: Iterable[int]) -> Any:
    """Return a histogram in microseconds."""
    made = HdrHistogram(1, _HOUR_US, _DIGITS)
    for latency in latencies_ns:
        made.record_value(min(max(latency // _MICROSECOND, 1), _HOUR_US))
    return made


def latencies(samples: Samples, ends: "array[int]", numbers: Iterable[int]) -> Iterable[int]:
    """Yield the time from each intended sending to its end, of those that have ended."""
    return (ends[n] - samples.intended[n] for n in numbers if ends[n])


def of_stages(samples: Samples, numbers: Sequence[int]) -> dict[str, Any]:
    """Return a histogram for each stage."""
    return {
        name: histogram(latencies(samples, getattr(samples, name), numbers)) for name, _ in STAGES
    }


def latency(name: str, meaning: str, made: Any, rate_s: float = 0.0) -> Latency:
    """Return the percentiles of a histogram, in milliseconds."""

    def at(percentile: float) -> float:
        return float(made.get_value_at_percentile(percentile)) / 1000

    count = int(made.get_total_count())
    return Latency(
        name=name,
        meaning=meaning,
        count=count,
        rate_s=rate_s,
        p50_ms=at(50) if count else 0.0,
        p90_ms=at(90) if count else 0.0,
        p99_ms=at(99) if count else 0.0,
        p999_ms=at(99.9) if count else 0.0,
        max_ms=float(made.get_max_value()) / 1000 if count else 0.0,
    )


def percentile_distribution(made: Any) -> bytes:
    """Return it in the text format that HdrHistogram's own plotters read, in milliseconds."""
    file = io.BytesIO()
    made.output_percentile_distribution(file, 1000)
    return file.getvalue()
