"""Instruments: the metrics of one program, in a registry of its own, and what each means.

Names follow Prometheus' conventions: the program first, the base unit last, `_total` for counters.
Amounts and text are no labels; what a label can be is a short list of our own words.
"""

from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

# Upper bounds of buckets: seconds on a disk, seconds through the whole pipeline, sizes.
QUICK_S = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
LONG_S = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
SIZES = (1, 4, 16, 64, 256, 1024, 4096)


class Described(NamedTuple):
    """What a metric is called, of what kind it is, what it means, and what its labels are."""

    name: str
    kind: str
    meaning: str
    labels: tuple[str, ...]


class Instruments:
    """Makes metrics and remembers what they mean."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.described: list[Described] = []

    def counter(self, name: str, meaning: str, *labels: str) -> Counter:
        """Make a counter, which only grows; its name ends in `_total`."""
        self.described.append(Described(name, "counter", meaning, labels))
        return Counter(name, meaning, labels, registry=self.registry)

    def gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        """Make a gauge, which goes up and down."""
        self.described.append(Described(name, "gauge", meaning, labels))
        return Gauge(name, meaning, labels, registry=self.registry)

    def histogram(
        self, name: str, meaning: str, *labels: str, buckets: tuple[float, ...]
    ) -> Histogram:
        """Make a histogram with the given upper bounds, and +Inf."""
        self.described.append(Described(name, "histogram", meaning, labels))
        return Histogram(name, meaning, labels, buckets=buckets, registry=self.registry)
