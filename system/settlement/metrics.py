"""Settlement's metrics, in a registry of their own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
_SIZES = (1, 4, 16, 64, 256, 1024)


class Metrics:
    """What an operator watches."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.records = Counter(
            "settlement_records",
            "Records judged, by what became of them.",
            ("topic", "verdict"),
            registry=self.registry,
        )
        self.end_to_end = Histogram(
            "settlement_end_to_end_seconds",
            "From acceptance (created_at) to the rows being acknowledged.",
            ("topic",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.statement = Histogram(
            "settlement_statement_seconds",
            "From a statement to the database's answer, or to giving up on it.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.unacknowledged = Counter(
            "settlement_statements_unacknowledged",
            "Statements that had to be sent again.",
            registry=self.registry,
        )
        self.sizes = Histogram(
            "settlement_batch_records",
            "Records settled between two commits.",
            buckets=_SIZES,
            registry=self.registry,
        )
        self.lag = Gauge(
            "settlement_consumer_lag_records",
            "Records of a partition not settled yet.",
            ("topic", "partition"),
            registry=self.registry,
        )
        self.holes = Gauge(
            "settlement_open_holes",
            "Shards or symbols whose next record is missing.",
            ("topic", "partition"),
            registry=self.registry,
        )
