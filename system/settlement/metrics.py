"""Settlement's metrics, in a registry of their own."""

from prometheus_client import Counter, Histogram

from system.instruments import LONG_S, SIZES, Instruments
from system.lag import Lag


class Metrics(Instruments):
    """What an operator watches."""

    def __init__(self, group: str = "settlement") -> None:
        super().__init__()
        self.lag = Lag(self, group)
        self._judged: dict[tuple[str, str], Counter] = {}
        self._settled: dict[str, Histogram] = {}
        self._records = self.counter(
            "settlement_records_total",
            "Records judged, by what became of them.",
            "topic",
            "verdict",
        )
        self._end_to_end = self.histogram(
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

    def judged(self, topic: str, verdict: str) -> Counter:
        """Return what counts records of a topic by verdict; looking it up by labels costs more."""
        child = self._judged.get((topic, verdict))
        if child is None:
            child = self._judged[topic, verdict] = self._records.labels(topic, verdict)
        return child

    def settled(self, topic: str) -> Histogram:
        """Return what is told how long records of a topic took from end to end."""
        child = self._settled.get(topic)
        if child is None:
            child = self._settled[topic] = self._end_to_end.labels(topic)
        return child
