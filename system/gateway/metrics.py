"""The gateway's metrics, in a registry of its own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_ROUTES = frozenset(
    (
        "transfer_in",
        "transfer_out",
        "orders",
        "trades",
        "requests",
        "balances",
        "ledger",
        "healthz",
        "readyz",
    )
)
_SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


class Metrics:
    """Counts answers by route and status, refusals by reason, and what is under way."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._answers = Counter(
            "gateway_answers", "HTTP answers.", ("route", "status"), registry=self._registry
        )
        self._refusals = Counter(
            "gateway_refusals", "Requests refused.", ("reason",), registry=self._registry
        )
        self._seconds = Histogram(
            "gateway_request_seconds",
            "From a request to its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.acknowledge = Histogram(
            "gateway_acknowledge_seconds",
            "From a record handed to the producer to Kafka's acknowledgement.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.in_flight = Gauge(
            "gateway_commands_in_flight", "Commands not yet answered.", registry=self._registry
        )
        self._children: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def answered(self, path: str, status: int, took_s: float) -> None:
        """Count an answer; ids in the path are no label."""
        name = path.split("/", 2)[1]
        key = (name if name in _ROUTES else "other", status)
        child = self._children.get(key)
        if child is None:
            child = self._answers.labels(key[0], str(status)), self._seconds.labels(key[0])
            self._children[key] = child
        child[0].inc()
        child[1].observe(took_s)

    def refused(self, reason: str) -> None:
        """Count a refusal; reasons are our own words, so there are few."""
        self._refusals.labels(reason).inc()

    def text(self) -> bytes:
        """Return all metrics in Prometheus' format."""
        return generate_latest(self._registry)
