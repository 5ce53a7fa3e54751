"""The matching engine's metrics, in a registry of their own."""

from collections import Counter as Counts
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from system.engine.matching import Emitted, Market

_SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
_SIZES = (1, 4, 16, 64, 256, 1024, 4096)


class Metrics:
    """What an operator watches."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.outputs = self._counter("engine_outputs", "Inputs applied", "outcome")
        self.trades = self._counter("engine_trades", "Trades", "symbol")
        self.dropped = self._counter("engine_dropped", "Inputs not applied", "why")
        self.orders = self._gauge("engine_book_orders", "Orders in the book", "symbol")
        self.levels = self._gauge("engine_book_levels", "Prices in the book", "symbol", "side")
        self.output_seq = self._gauge("engine_output_seq", "Last output made", "symbol")
        self.unacknowledged = self._gauge("engine_unacknowledged", "Outputs not acknowledged")
        self.holes = self._gauge("engine_holes", "Shards whose next record is missing")
        self.recovery = self._gauge("engine_recovery_seconds", "From the snapshot to ready")
        self.snapshot_bytes = self._gauge("engine_snapshot_bytes", "Size of the last snapshot")
        self.sizes = Histogram(
            "engine_batch_records", "Records at a time", buckets=_SIZES, registry=self.registry
        )
        self.snapshot = Histogram(
            "engine_snapshot_seconds", "Write and check", buckets=_SECONDS, registry=self.registry
        )

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(name, what, labels, registry=self.registry)

    def _gauge(self, name: str, what: str, *labels: str) -> Gauge:
        return Gauge(name, what, labels, registry=self.registry)

    def batch(self, records: int, emitted: Sequence[Emitted]) -> None:
        """Count what a batch of records led to."""
        self.sizes.observe(records)
        outcomes: Counts[str] = Counts()
        trades: Counts[int] = Counts()
        for output, _ in emitted:
            outcomes[output.outcome] += 1
            trades[output.symbol_id] += len(output.trades)
        for outcome, count in outcomes.items():
            self.outputs.labels(outcome).inc(count)
        for symbol_id, count in trades.items():
            self.trades.labels(str(symbol_id)).inc(count)

    def market(self, market: Market) -> None:
        """Show how deep a book is, and how far its chain has come."""
        symbol, book = str(market.symbol_id), market.book
        self.orders.labels(symbol).set(len(book.orders))
        self.levels.labels(symbol, "buy").set(len(book.bids.keys))
        self.levels.labels(symbol, "sell").set(len(book.asks.keys))
        self.output_seq.labels(symbol).set(market.output_seq)
