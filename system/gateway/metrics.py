"""The gateway's metrics, in a registry of its own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

_ROUTES = frozenset(
    ("transfer_in", "transfer_out", "requests", "balances", "ledger", "healthz", "readyz")
)


class Metrics:
    """Counts answers by route and status, and what is under way."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._answers = Counter(
            "gateway_answers", "HTTP answers.", ("route", "status"), registry=self._registry
        )
        self.in_flight = Gauge(
            "gateway_transfers_in_flight", "Transfers not yet answered.", registry=self._registry
        )
        self._children: dict[tuple[str, int], Counter] = {}

    def answered(self, path: str, status: int) -> None:
        """Count an answer; ids in the path are no label."""
        name = path.split("/", 2)[1]
        key = (name if name in _ROUTES else "other", status)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._answers.labels(*key)
        child.inc()

    def text(self) -> bytes:
        """Return all metrics in Prometheus' format."""
        return generate_latest(self._registry)
