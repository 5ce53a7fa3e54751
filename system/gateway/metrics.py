"""The gateway's metrics, in a registry of its own."""

from prometheus_client import Counter, Histogram, generate_latest

from system.instruments import LONG_S, Instruments

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
        "metrics",
        "openapi.json",
    )
)
_METHODS = frozenset(("GET", "POST", "DELETE"))


class Metrics(Instruments):
    """Counts answers by route and status, rejections by reason, and what is under way."""

    def __init__(self) -> None:
        super().__init__()
        self._requests = self.counter(
            "gateway_requests_total", "HTTP requests answered.", "method", "route", "status"
        )
        self._seconds = self.histogram(
            "gateway_request_seconds",
            "From an HTTP request to its answer.",
            "method",
            "route",
            buckets=LONG_S,
        )
        self._rejections = self.counter(
            "gateway_rejections_total", "Requests refused by the gateway itself.", "reason"
        )
        self.publish = self.histogram(
            "gateway_publish_seconds",
            "From a command handed to the producer to Kafka's acknowledgement, or to giving up.",
            buckets=LONG_S,
        )
        self.in_flight = self.gauge(
            "gateway_commands_in_flight", "Commands not yet answered; beyond a limit come 429."
        )
        self.reading = self.gauge(
            "gateway_questions_in_flight", "Questions not yet answered; beyond a limit come 429."
        )
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def answered(self, method: str, path: str, status: int, took_s: float) -> None:
        """Count an answer; ids in the path are no label."""
        name = path.split("/", 2)[1]
        key = (
            method if method in _METHODS else "other",
            name if name in _ROUTES else "other",
            status,
        )
        child = self._children.get(key)
        if child is None:
            child = self._requests.labels(*key), self._seconds.labels(*key[:2])
            self._children[key] = child
        child[0].inc()
        child[1].observe(took_s)

    def refused(self, reason: str) -> None:
        """Count a refusal; reasons are our own words, so there are few."""
        self._rejections.labels(reason).inc()

    def text(self) -> bytes:
        """Return all metrics in Prometheus' format."""
        return generate_latest(self.registry)
