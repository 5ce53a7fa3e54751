"""Settlement's metrics, in a registry of their own."""

from system.instruments import LONG_S, SIZES, Instruments
from system.lag import Lag


class Metrics(Instruments):
    """What an operator watches."""

    def __init__(self, group: str = "settlement") -> None:
        super().__init__()
        self.lag = Lag(self, group)
        self.records = self.counter(
            "settlement_records_total",
            "Records judged, by what became of them.",
            "topic",
            "verdict",
        )
        self.end_to_end = self.histogram(
            "settlement_end_to_end_seconds",
            "From acceptance, a command's append to Kafka, to its rows being acknowledged; of a"
            " match from when its order was decided.",
            "topic",
            buckets=LONG_S,
        )
        self.statement = self.histogram(
            "settlement_statement_seconds",
            "From a statement to the database's answer, or to giving up on it.",
            buckets=LONG_S,
        )
        self.repeated = self.counter(
            "settlement_statements_repeated_total",
            "Statements sent again, because nobody knows whether they took effect.",
        )
        self.sizes = self.histogram(
            "settlement_batch_records", "Records settled between two commits.", buckets=SIZES
        )
        self.holes = self.gauge(
            "settlement_open_holes",
            "Shards or symbols whose next record is missing.",
            "topic",
            "partition",
        )
        self.assignments = self.counter(
            "settlement_assignments_total", "How often the group assigned partitions."
        )
