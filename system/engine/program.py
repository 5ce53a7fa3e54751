"""The matching engine: applies each validated order once, in order, and publishes what it did.

It keeps nothing but snapshots: after a crash the state is the last snapshot and the input after it.
What Kafka holds beyond the snapshot is compared with what that gives, and only then completed, so
that no number of a symbol's chain ever has two contents.
"""

import time
from contextlib import AbstractContextManager
from typing import ClassVar

import msgspec
from confluent_kafka import Message
from opentelemetry.trace import SpanKind

from system import metrics_http, tracing
from system.directory import DataDirectory
from system.engine import arrivals, state
from system.engine.arrivals import Arrival
from system.engine.audit import Audit
from system.engine.cluster import Instance, survey
from system.engine.matching import RULES, Emitted
from system.engine.metrics import Metrics
from system.engine.settings import GROUP, Settings
from system.engine.state import State
from system.errors import Halt, Unreachable
from system.holes import Verdict
from system.loop import BUSY_WAIT_S, Loop
from system.marks import Place
from system.messages import offset, partition
from system.origin import Origin
from system.outbox import Outbox
from system.records import ORDERS, OUTPUTS, EngineOutput
from system.snapshots import Snapshots
from system.topics import key_of
from system.tracing import Way
from system.wal.frames import Output


class Engine(Loop[Instance]):
    """One instance; safe to kill between any two lines."""

    name: ClassVar[str] = "engine"
    Config: ClassVar[type[msgspec.Struct]] = Settings
    group: ClassVar[str] = GROUP
    outbox_type: ClassVar[type[Outbox]] = Outbox
    state_type: ClassVar[type[State]] = State
    snapshots_type: ClassVar[type[Snapshots]] = Snapshots

    def __init__(self, settings: Settings) -> None:
        self.own = settings.engine
        directory = DataDirectory(self.own.data, Instance)
        super().__init__(self.own, settings.kafka, directory)
        self.settings = settings
        self.metrics = Metrics()
        self.state = self.state_type(settings.owned, self.own.hole_ms_max)
        self.audit = Audit(settings.formats.version)
        self.snapshots: Snapshots
        self.judged = 0  # records since the snapshot
        self._sent = 0
        self._counter = 0
        self._snapshot_at_s = 0.0
        self._began_ns = 0  # when the batch in hand was, if somebody records spans

    def serving(self) -> AbstractContextManager[None]:
        """Serve the metrics, where that is configured."""
        return metrics_http.serving(self.metrics.registry, self.settings.metrics)

    # -- opening -------------------------------------------------------------------------------

    def open(self) -> None:
        """Take the directory, restore the state, audit the outputs, publish what is missing."""
        began_s = time.monotonic()
        identity = self.identify()
        self.snapshots = self.snapshots_type(
            self.directory.path, identity.identity, state.VERSION, self.log
        )
        self.restore()
        self.connect()
        positions = self.positions()
        consumed = {place: position.next_offset for place, position in positions.items()}
        self.inputs.verify(positions, self.inputs.reaching(consumed))
        self.audit.read(self.inputs, self.state, self.settings.topics.partitions)
        self.state.rules = RULES
        self.inputs.start(self.positions())
        self.replay()
        self.outbox.open()
        self._snapshot_at_s = time.monotonic()
        self.metrics.recovery.set(self._snapshot_at_s - began_s)
        self.metrics.recovered.set(self.judged)
        self.log.info("ready", replayed=self.judged, published=len(self.outbox.waiting))

    def survey(self) -> Instance:
        """Ask Kafka what a data directory of this instance would belong to."""
        return survey(self.settings)

    def restore(self) -> None:
        """Take over the newest whole snapshot; without one begin at the beginning."""
        self.snapshots.clean()
        snapshot = self.snapshots.latest()
        if snapshot is None:
            self.log.info("no_snapshot")
            return
        self.state.restore(snapshot.name, snapshot.state)
        self._counter = snapshot.counter
        self.log.info("restored", snapshot=snapshot.name, markets=len(self.state.markets))

    def replay(self) -> None:
        """Apply the input up to the last output that stands in Kafka; nothing is sent yet."""
        wait_s = self.settings.kafka.connect_timeout_ms / 1000
        marks = self.inputs.reaching({(ORDERS, n): due for n, due in self.audit.due.items()})
        for number, due in self.audit.due.items():
            _, high = marks[ORDERS, number]
            if high < due:
                raise Halt(
                    "position_ahead",
                    f"{ORDERS}[{number}] ends at {high}, but offset {due - 1} has its output",
                )
        deadline_s = time.monotonic() + wait_s
        while self.audit.open(self.next_offsets()):
            if self.take(self.own.batch):
                deadline_s = time.monotonic() + wait_s
            if self.halting is not None:
                raise self.halting
            if time.monotonic() >= deadline_s:
                raise Unreachable(f"{ORDERS} cannot be read in time")
        self.state.delivered = self.audit.close()

    def positions(self) -> dict[Place, state.Position]:
        """Return where each owned partition goes on."""
        return {(ORDERS, number): at for number, at in self.state.positions.items()}

    def reached(self) -> dict[Place, int]:
        """Return the offset of the next record that each owned partition owes us."""
        return {place: at.next_offset for place, at in self.positions().items()}

    def next_offset(self, topic: str, partition: int) -> int:  # noqa: ARG002 - it reads only one
        """Return the offset of the next record an owned partition owes us."""
        return self.state.positions[partition].next_offset

    def next_offsets(self) -> dict[int, int]:
        """Return where each owned partition goes on."""
        return {number: at.next_offset for number, at in self.state.positions.items()}

    # -- the loop ------------------------------------------------------------------------------

    def step(self) -> None:
        """Take a batch, apply it, publish it; then tend to the rest."""
        if self.snapshot_due():
            self.snapshot_if_settled()
        else:
            self.take(self.room())
        self.halt_if_due()
        self.tend()

    def take(self, count: int) -> int:
        """Apply what has arrived, `count` records at most; return how many it was."""
        messages = self.inputs.take(count, self.patience_s())
        self._began_ns = tracing.clock() if messages else 0
        emitted = []
        for message in messages:
            try:
                one = self.judge(message)
            except Halt as halt:  # what came before it is still published
                self.halting = halt
                break
            if one is not None:
                emitted.append(one)
        if messages:
            self.metrics.batch(len(messages), emitted)
        return len(messages)

    def judge(self, message: Message) -> Emitted | None:
        """Apply a record and publish its output; None if it was applied before or is too early."""
        if not self.inputs.fresh(ORDERS, partition(message), offset(message)):
            return None
        settings = self.settings
        arrival = arrivals.read(message, settings.topics.partitions, settings.formats.version)
        source = arrival.source
        verdict = self.verdict(arrival)
        emitted = None
        if verdict is Verdict.APPLY:
            emitted = self.apply(arrival)
            self.emit(emitted, arrival.traceparent)
        else:
            self.metrics.dropped.labels(verdict.value).inc()
        self.state.pass_over(source.partition, source.offset, arrival.leader_epoch, arrival.crc)
        self.judged += 1
        return emitted

    def verdict(self, arrival: Arrival) -> Verdict:
        """Judge a record by its number."""
        numbering = self.state.numberings[arrival.source.partition]
        offset = arrival.source.offset
        return numbering.take(arrival.record, offset, arrival.appended_ms, self.log)

    def apply(self, arrival: Arrival) -> Emitted:
        """Match one order, or cancel one."""
        return self.state.market(arrival.record.symbol_id).apply(arrival.record, arrival.source)

    def emit(self, emitted: Emitted, traceparent: str) -> None:
        """Publish an output, unless it is known to stand in Kafka and so is all before it."""
        if self.audit.settled(emitted):
            return
        output = emitted.output
        key = key_of(output.symbol_id)
        record = Output(OUTPUTS, output.source.partition, output.output_seq, key, emitted.value)
        self._sent += 1
        way = Way(traceparent, tracing.onward(traceparent, tracing.hop("match")))
        self.outbox.publish(self._sent, (record,), Origin(way.context))
        if self._began_ns:
            about = _about(output)
            tracing.record("engine", "match", SpanKind.CONSUMER, way, self._began_ns, about)

    # -- between batches -----------------------------------------------------------------------

    def tend(self) -> None:
        """Serve delivery reports and dashboards."""
        self.outbox.poll()
        self.inputs.show(self.reached)
        self.metrics.lag.show(self.inputs.consumer, self.reached)
        self.metrics.outbox.set(len(self.outbox.waiting))
        self.metrics.holes.set(sum(len(one.holes) for one in self.state.numberings.values()))
        for market in self.state.markets.values():
            self.metrics.market(market)

    def snapshot_due(self) -> bool:
        """Say whether a snapshot shall be made before anything else is taken in."""
        if not self.judged:
            return False
        age_s = time.monotonic() - self._snapshot_at_s
        return self.judged >= self.own.snapshot_every or age_s >= self.own.snapshot_every_ms / 1000

    def snapshot_if_settled(self) -> None:
        """Write a snapshot if Kafka has acknowledged all that came before it; else wait for it."""
        if self.outbox.waiting:
            self.outbox.poll(BUSY_WAIT_S)
        if not self.outbox.waiting:
            self.snapshot()

    def snapshot(self) -> None:
        """Write the state as it is now; every output of it is acknowledged."""
        assert not self.outbox.waiting, "a snapshot must not run ahead of its outputs"
        began = time.perf_counter()
        for one in self.outbox.mark.delivered:
            known = self.state.delivered[one.partition]
            self.state.delivered[one.partition] = max(known, one.offset + 1)
        self._counter += 1
        size = self.snapshots.write(self._counter, self.state.encode())
        seconds = time.perf_counter() - began
        self.metrics.snapshot.observe(seconds)
        self.metrics.snapshot_bytes.set(size)
        self.metrics.snapshot_at.set(time.time())
        self.log.info("snapshot", counter=self._counter, bytes=size, records=self.judged)
        self.judged = 0
        self._snapshot_at_s = time.monotonic()

    # -- closing -------------------------------------------------------------------------------

    def close(self) -> None:
        """Wait for acknowledgements, write a snapshot if all came, and let go of everything."""
        drained = self.drain()
        if drained and self.judged:
            self.snapshot()
        self.release()
        self.log.info("closed", all_acknowledged=drained)


def _about(output: EngineOutput) -> dict[str, str | int]:
    """Return the attributes of an output's span."""
    return {
        "messaging.system": "kafka",
        "messaging.destination.name": output.source.topic,
        "messaging.destination.partition.id": str(output.source.partition),
        "messaging.kafka.offset": output.source.offset,
        "wavetank.request_id": output.request_id,
        "wavetank.symbol": output.symbol_id,
        "wavetank.output_seq": output.output_seq,
        "wavetank.outcome": output.outcome,
        "wavetank.trades": len(output.trades),
    }
