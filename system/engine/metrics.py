"""The matching engine's metrics, in a registry of their own."""

from collections import Counter as Counts
from collections.abc import Sequence

from system.engine.matching import Emitted, Market
from system.engine.settings import GROUP
from system.instruments import LONG_S, SIZES, Instruments
from system.lag import Lag
from system.symbols import BY_ID


def _name(symbol_id: int) -> str:
    symbol = BY_ID.get(symbol_id)
    return str(symbol_id) if symbol is None else symbol.name


class Metrics(Instruments):
    """What an operator watches."""

    def __init__(self) -> None:
        super().__init__()
        self.lag = Lag(self, GROUP)
        self.outputs = self.counter(
            "engine_outputs_total", "Orders and cancels applied, by what became of them.", "outcome"
        )
        self.trades = self.counter("engine_trades_total", "Trades made.", "symbol")
        self.dropped = self.counter(
            "engine_dropped_total", "Records that were not applied, by why.", "verdict"
        )
        self.orders = self.gauge("engine_book_orders", "Orders in the book.", "symbol")
        self.levels = self.gauge("engine_book_levels", "Prices in the book.", "symbol", "side")
        self.output_seq = self.gauge(
            "engine_output_seq", "Number of the last output in a symbol's chain.", "symbol"
        )
        self.sizes = self.histogram(
            "engine_batch_records", "Records taken in at a time.", buckets=SIZES
        )
        self.outbox = self.gauge(
            "engine_outbox_records", "Outputs that Kafka has not acknowledged yet."
        )
        self.holes = self.gauge(
            "engine_open_holes", "Shards whose next record is missing, over all partitions."
        )
        self.recovery = self.gauge(
            "engine_recovery_seconds", "From the start to ready, at the last start."
        )
        self.recovered = self.gauge(
            "engine_recovery_records", "Records applied again at the last start."
        )
        self.snapshot = self.histogram(
            "engine_snapshot_seconds", "Writing and checking a snapshot.", buckets=LONG_S
        )
        self.snapshot_bytes = self.gauge("engine_snapshot_bytes", "Size of the last snapshot.")
        self.snapshot_at = self.gauge(
            "engine_snapshot_timestamp_seconds", "When the last snapshot was made."
        )

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
            self.trades.labels(_name(symbol_id)).inc(count)

    def market(self, market: Market) -> None:
        """Show how deep a book is, and how far its chain has come."""
        symbol, book = _name(market.symbol_id), market.book
        self.orders.labels(symbol).set(len(book.orders))
        self.levels.labels(symbol, "buy").set(len(book.bids.keys))
        self.levels.labels(symbol, "sell").set(len(book.asks.keys))
        self.output_seq.labels(symbol).set(market.output_seq)
