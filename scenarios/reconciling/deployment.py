"""A deployment that somebody runs, as sources for `reports.live`."""

import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from reports.live.sources import Account, Answer, Cells, Cut, Entry
from reports.shown import Shown
from scenarios.errors import UsageError
from scenarios.reconciling.logs import OpenLog
from scenarios.reconciling.pace import Pace
from scenarios.reconciling.progress import Progress
from scenarios.reconciling.settings import Settings
from scenarios.reconciling.tables import Tables
from scenarios.reconciling.topics import Topics
from system.records import EVENTS, OPERATIONS, ORDERS, OUTPUTS
from system.wal.packing import Frame


class Deployment:
    """Topics, logs and tables of one deployment; a context, because it holds connections."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.logs: dict[int, OpenLog] = {}
        self.topics = Topics(settings.kafka, Pace(settings.limits.topic_rate))
        self.tables: Tables | None = None
        self.progress = Progress()

    def __enter__(self) -> Self:
        pace = Pace(self.settings.limits.log_rate * 1_000_000)
        for path in self.settings.log.directories:
            log = OpenLog(path, pace)
            shard = log.identity.shard
            if shard in self.logs:
                known = self.logs[shard].path
                raise UsageError(f"--wal {path} and {known} are both of shard {shard}: give one")
            self.logs[shard] = log
        self.topics.find()
        for log in self.logs.values():
            self._fits(log)
        self.tables = Tables(self.settings.cql, Pace(self.settings.limits.rate))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.progress.done()
        self.topics.close()
        if self.tables is not None:
            self.tables.close()
        for log in self.logs.values():
            log.close()

    def _fits(self, log: OpenLog) -> None:
        """Refuse a log that was never fed by these topics."""
        own, partitions = log.identity, len(self.topics.partitions[OPERATIONS])
        if own.cluster_id != self.topics.cluster_id:
            raise UsageError(
                f"--wal {log.path} belongs to Kafka cluster {own.cluster_id!r},"
                f" {self.settings.kafka.bootstrap} is {self.topics.cluster_id!r}"
            )
        if own.partitions != partitions:
            raise UsageError(
                f"--wal {log.path} was made for {own.partitions} partitions,"
                f" {OPERATIONS} has {partitions}"
            )

    # -- sources -------------------------------------------------------------------------------

    def cut(self) -> Cut:
        """Take the cut, downstream first; orders go in a circle, so that outputs come twice."""
        settled, settled_outputs = self.topics.settled()
        events = self.topics.spans(EVENTS)
        answers = self.topics.spans(OUTPUTS)
        orders = self.topics.spans(ORDERS)
        for log in self.logs.values():
            log.open()
        outputs = self.topics.spans(OUTPUTS)
        operations = self.topics.spans(OPERATIONS)
        return Cut(
            at_ms=time.time_ns() // 1_000_000,
            operations=operations,
            events=events,
            settled=settled,
            logs={shard: log.partitions for shard, log in sorted(self.logs.items())},
            orders=orders,
            outputs=outputs,
            answers={partition: span.high for partition, span in answers.items()},
            settled_outputs=settled_outputs,
        )

    def ends(self) -> dict[int, int]:
        """Return where the events end now."""
        return {partition: span.high for partition, span in self.topics.spans(EVENTS).items()}

    def operations(self, partition: int, low: int, high: int) -> Iterator[Entry]:
        """Yield a partition's operations."""
        return self._entries(OPERATIONS, partition, low, high)

    def events(self, partition: int, low: int, high: int) -> Iterator[Entry]:
        """Yield a partition's events."""
        return self._entries(EVENTS, partition, low, high)

    def orders(self, partition: int, low: int, high: int) -> Iterator[Entry]:
        """Yield a partition's orders and cancels."""
        return self._entries(ORDERS, partition, low, high)

    def outputs(self, partition: int, low: int, high: int) -> Iterator[Entry]:
        """Yield a partition's engine outputs."""
        return self._entries(OUTPUTS, partition, low, high)

    def _entries(self, topic: str, partition: int, low: int, high: int) -> Iterator[Entry]:
        entries = self.topics.entries(topic, partition, low, high)
        return self.progress.over(f"{topic}/{partition}", entries, high - low)

    def output_ends(self) -> dict[int, int]:
        """Return where the engine's outputs end now."""
        return {partition: span.high for partition, span in self.topics.spans(OUTPUTS).items()}

    def frames(self, shard: int) -> Iterator[Frame]:
        """Yield a shard's frames."""
        return self.progress.over(f"the log of shard {shard}", self.logs[shard].frames())

    @property
    def _tables(self) -> Tables:
        assert self.tables is not None, "a deployment is entered before it is read"
        return self.tables

    def ledger(self) -> Iterator[Cells]:
        """Yield the whole ledger."""
        return self.progress.over("balance_ledger", self._tables.ledger())

    def ledger_of(self, account: Account) -> Iterator[Cells]:
        """Yield one account's rows."""
        return self._tables.ledger_of(account)

    def requests(self) -> Iterator[Answer]:
        """Yield all answers."""
        return self.progress.over("requests", self._tables.requests())

    def shown(self) -> Iterator[Shown]:
        """Yield all rows about outputs, trades and orders."""
        return self.progress.over("trades and orders", self._tables.shown())

    def users_assets(self) -> Iterator[Account]:
        """Yield all listed accounts."""
        return self.progress.over("users_assets", self._tables.users_assets())
