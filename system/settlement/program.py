"""Settlement: turns each balance event and engine output into rows, in order, exactly once.

It keeps nothing of its own: after a crash everything from the committed offset is written again,
and every write is idempotent by its key. An offset is committed only when the rows of all lower
offsets are acknowledged, together with the state that belongs to it.
"""

import time
from contextlib import closing
from typing import Any, ClassVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from system import database, exits, kafka, messages, metrics_http, origin, symbols, tracing
from system.errors import Halt, Unreachable
from system.holes import Verdict
from system.log import Log
from system.marks import Place
from system.records import EVENTS, OUTPUTS, EngineOutput, Event
from system.settlement import chains, config, positions, reader
from system.settlement.ledger import Ledger
from system.settlement.metrics import Metrics
from system.settlement.outputs import Outputs
from system.settlement.positions import Partition
from system.settlement.writer import Abandoned, Writer

TOPICS = (EVENTS, OUTPUTS)

Taken = tuple[Message, Event | EngineOutput]


class Settlement:
    """Reads events and outputs, writes the tables; safe to kill between any two lines."""

    name: ClassVar[str] = "settlement"
    Config: ClassVar[type[config.Config]] = config.Config

    def __init__(self, settings: config.Config) -> None:
        self.config = settings
        self.work = settings.settlement
        self.log = Log(self.name)
        self.metrics = Metrics(self.work.group)
        self.partitions: dict[Place, Partition] = {}
        self.partition_counts: dict[str, int] = {}
        self.assignments = 0  # how often the assignment changed; work of an earlier one is void
        self.batch: list[Message] = []
        self.held: list[Message] = []  # arrived while the batch was still being written
        self.stopping = False
        self.consumer: Any = None
        self.ledger: Ledger
        self.outputs: Outputs
        self.writer: Writer

    def run(self) -> int:
        """Settle events until stopped."""
        with (
            closing(database.connect(self.config.scylla)) as connection,
            metrics_http.serving(self.metrics.registry, self.config.metrics),
        ):
            self.open(connection)
            with closing(Consumer(self.consumer_settings())) as self.consumer:
                self.join()
                while not self.stopping:
                    self.step()
        return exits.OK

    def stop(self) -> None:
        """Finish the batch under way, commit it and leave the group."""
        self.stopping = True

    def step(self) -> None:
        """Take what has arrived, settle it, then commit: a crash in between changes nothing."""
        self.poll()
        self.settle(self.batch)
        self.batch = []
        self.commit()

    def open(self, connection: database.Database) -> None:
        """Prepare every statement."""
        self.ledger = self.make_ledger(connection)
        self.outputs = Outputs(connection, self.ledger.consistency())
        self.writer = self.make_writer()

    def join(self) -> None:
        """Join the group, or say that Kafka does not answer."""
        found = kafka.metadata(self.consumer, self.config.kafka).topics
        for topic in TOPICS:
            if topic not in found or not found[topic].partitions:
                raise Unreachable(f"Kafka has no topic {topic}; run `python -m system setup`")
            self.partition_counts[topic] = len(found[topic].partitions)
        chains.refuse_too_many(symbols.BY_ID, self.partition_counts[OUTPUTS])
        self.consumer.subscribe(
            list(TOPICS), on_assign=self.assigned, on_revoke=self.revoked, on_lost=self.lost
        )
        self.log.info("started", group=self.work.group, partitions=self.partition_counts)

    def make_ledger(self, connection: database.Database) -> Ledger:
        """Return what turns events into statements."""
        return Ledger(connection, self.work.accounts_max)

    def make_writer(self) -> Writer:
        """Return what drives the statements."""
        return Writer(self.ledger, self.log, self.work.concurrency, self.pause, self.metrics)

    def consumer_settings(self) -> dict[str, Any]:
        """Return the consumer's settings: it commits nothing on its own and never skips."""
        return {
            **kafka.consumer(self.config.kafka, self.name, self.work.group),
            "partition.assignment.strategy": "range",
            "session.timeout.ms": self.work.session_timeout_ms,
            "max.poll.interval.ms": self.work.poll_interval_ms,
        }

    def poll(self) -> None:
        """Collect a batch; a rebalance served meanwhile empties it."""
        self.batch, self.held = self.held, []
        self.collect(0 if self.batch else self.work.poll_ms / 1000)
        if self.work.gather_ms and 0 < len(self.batch) < self.work.batch_max:
            time.sleep(self.work.gather_ms / 1000)
            self.collect(0)

    def collect(self, wait_s: float) -> None:
        """Add what has arrived to the batch, while it has room; wait for the first record."""
        message = self.consumer.poll(wait_s)
        while message is not None:
            self.batch.append(message)
            if len(self.batch) >= self.work.batch_max:
                return
            message = self.consumer.poll(0)

    def check(self, message: Message, error: KafkaError) -> None:
        """Halt on what cannot be waited out; a log's end must follow on the last record read."""
        if error.code() == messages.END_OF_PARTITION:
            place = message.topic() or "", messages.partition(message)
            self.partitions[place].goes_on(messages.offset(message))
            return
        messages.refuse_damaged(message, error)
        if error.code() in messages.OUTSIDE_THE_LOG:
            raise Halt("out_of_range", f"a position is outside the log: {error}")
        if error.fatal():
            raise Unreachable(f"the consumer failed for good: {error}")
        self.log.warning("kafka", error=error)

    def settle(self, batch: list[Message]) -> None:
        """Write the rows of a batch; returns when all are acknowledged or no longer ours.

        What comes before a record to halt on is settled and committed first: after a restart it
        would only come before that record again.
        """
        taken: list[Taken] = []
        halt = self.judge(batch, taken)
        records = [record for _, record in taken]
        try:
            with tracing.settling(taken):
                self.write(records)
        except Abandoned:
            self.log.warning("abandoned", records=len(records))
            return  # also what there is to halt on: whoever owns it now reads it again
        finally:
            self.ledger.shrink()
        self.observe(batch, taken)
        if halt is not None:
            self.commit()
            raise halt

    def judge(self, batch: list[Message], taken: list[Taken]) -> Halt | None:
        """Add what is to be applied to `taken`; return why the rest of the batch is not judged."""
        for place, message in enumerate(batch):
            try:
                record = self.take(message)
            except Halt as halt:
                del batch[place:]
                return halt
            if record is not None:
                taken.append((message, record))
        return None

    def observe(self, batch: list[Message], taken: list[Taken]) -> None:
        """Count what was settled, how long it took since it was accepted, and what is left."""
        if records := sum(message.error() is None for message in batch):
            self.metrics.sizes.observe(records)
        self.show_lag()
        now_s = time.time()
        for message, record in taken:
            accepted_ms = origin.accepted_ms(message) or record.created_at
            took_s = max(0.0, now_s - accepted_ms / 1000)
            self.metrics.settled(message.topic() or "").observe(took_s)
        for (topic, number), partition in self.partitions.items():
            self.metrics.holes.labels(topic, str(number)).set(len(partition.numbering.holes))

    def show_lag(self) -> None:
        """Show what is left to settle, also while the database is away."""
        self.metrics.lag.show(self.consumer, self.reached)

    def reached(self) -> dict[Place, int]:
        """Return the offset of the next record that each partition owes us."""
        return {place: one.offset for place, one in self.partitions.items()}

    def write(self, records: list[Event | EngineOutput]) -> None:
        """Write what is checked against the database, then what follows from it.

        Who is told `done` finds the row, if it is right; no trade is shown whose output is not.
        """
        outputs = [record for record in records if isinstance(record, EngineOutput)]
        events = [record for record in records if not isinstance(record, EngineOutput)]
        self.writer.drive([*self.ledger.account_lanes(events), *self.outputs.log_lanes(outputs)])
        self.writer.drive([*self.ledger.request_lanes(events), *self.outputs.detail_lanes(outputs)])

    def take(self, message: Message) -> Event | EngineOutput | None:
        """Judge a record by its number; None if it is not to be applied now.

        An output that comes again is compared with what is in the database, and written again.
        """
        if (error := message.error()) is not None:
            self.check(message, error)
            return None
        topic = message.topic() or ""
        partition = self.partitions[topic, messages.partition(message)]
        offset = messages.offset(message)
        partition.reads(offset)
        read = reader.output if topic == OUTPUTS else reader.event
        record: Any = read(message, self.partition_counts[topic], self.config.formats.version)
        numbering = partition.numbering
        verdict = numbering.take(record, offset, messages.append_time_ms(message), self.log)
        self.metrics.judged(topic, verdict.value).inc()
        if not numbering.holes:
            partition.offset = offset + 1
        again = verdict is Verdict.DUPLICATE and topic == OUTPUTS
        return record if verdict is Verdict.APPLY or again else None

    def commit(self) -> None:
        """Commit what is settled: one request, positions and their states together."""
        settled = [
            (place, partition)
            for place, partition in self.partitions.items()
            if partition.offset != partition.committed
        ]
        if not settled:
            return
        offsets = [
            TopicPartition(*place, partition.offset, partition.numbering.metadata())
            for place, partition in settled
        ]
        try:
            answers = self.consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            self.commit_failed(error.args[0])
            return
        for (_, partition), offset, answer in zip(settled, offsets, answers, strict=True):
            if answer.error is None:
                partition.committed = offset.offset
            else:
                self.commit_failed(answer.error)

    def commit_failed(self, error: KafkaError) -> None:
        """Go on: the next commit covers this one, and a restart writes the same rows again."""
        if error.code() == KafkaError.OFFSET_METADATA_TOO_LARGE:
            raise Halt("metadata_too_large", f"the broker refuses the commit metadata: {error}")
        level = self.log.info if error.code() in positions.SUPERSEDED else self.log.warning
        level("not_committed", error=error)

    def assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Begin each partition at its commit, knowing nothing of any account."""
        self.drop()
        self.metrics.assignments.inc()
        self.partitions = positions.find(consumer, partitions, self.config.kafka, self.work)
        consumer.assign([TopicPartition(*place, p.offset) for place, p in self.partitions.items()])
        offsets = {f"{topic}[{n}]": p.offset for (topic, n), p in self.partitions.items()}
        self.log.info("assigned", offsets=offsets)

    def revoked(self, _consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        """Commit what is settled, unless a batch is under way, and give everything back."""
        if not self.batch:
            self.commit()
        self.drop()

    def lost(self, _consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        """Give up partitions that are somebody else's already: commit nothing."""
        self.drop()

    def drop(self) -> None:
        """Forget the assignment, and the records that were read under it."""
        self.assignments += 1
        self.partitions = {}
        self.metrics.lag.clear()
        self.metrics.holes.clear()
        self.batch, self.held = [], []
        self.ledger.forget()
        self.outputs.forget()

    def pause(self, failures: int) -> None:
        """Wait before statements are repeated, staying a member of the group meanwhile."""
        assignment = self.assignments
        wait_s = min(self.work.pause_ms << min(failures, 10), self.work.pause_ms_max) / 1000
        if len(self.held) >= self.work.held_max:
            time.sleep(wait_s)
            return
        message = self.consumer.poll(wait_s)
        if message is not None:
            self.held.append(message)
        self.show_lag()
        if self.assignments != assignment:
            raise Abandoned
