"""UBSCore: decides every command, makes the decision durable, and only then lets it out.

The loop is `run` and `step`. The order inside `commit` is the promise of the whole exchange:
frames, one sync, then the records. Whatever happens in between, the log says what was decided,
and everything after the outbox mark is published again from it.
"""

import os
import secrets
import time
from contextlib import AbstractContextManager
from typing import ClassVar

import msgspec
from confluent_kafka import Message

from system import metrics_http, tracing
from system.directory import DataDirectory
from system.errors import Halt
from system.formats import TRACES
from system.loop import Loop
from system.marks import Place
from system.messages import offset, partition
from system.outbox import Outbox
from system.records import OUTPUTS
from system.snapshots import Snapshots
from system.ubscore import arrivals, cluster, dump, image, outputs, recovery, traces
from system.ubscore.arrivals import Arrival
from system.ubscore.checkpoints import Checkpoints
from system.ubscore.cluster import Shard
from system.ubscore.decide import decide
from system.ubscore.engine import EngineOutputs
from system.ubscore.metrics import Metrics
from system.ubscore.settings import GROUP, Settings
from system.ubscore.state import State
from system.ubscore.terms import Terms
from system.wal import reader
from system.wal.frames import (
    AnyBody,
    CommandFrame,
    EngineFrame,
    EpochFrame,
    LinkFrame,
    MarkFrame,
    Position,
    PositionFrame,
)
from system.wal.traced import traced
from system.wal.writer import Shape, Writer

AnyFrame = CommandFrame | EngineFrame
Batch = list[tuple[int, AnyFrame]]


class UBSCore(Loop[Shard]):
    """One shard; safe to kill between any two lines."""

    name: ClassVar[str] = "ubscore"
    Config: ClassVar[type[msgspec.Struct]] = Settings
    group: ClassVar[str] = GROUP
    writer_type: ClassVar[type[Writer]] = Writer
    outbox_type: ClassVar[type[Outbox]] = Outbox
    state_type: ClassVar[type[State]] = State
    snapshots_type: ClassVar[type[Snapshots]] = Snapshots

    def __init__(self, settings: Settings) -> None:
        core = settings.ubscore
        super().__init__(core, settings.kafka, DataDirectory(core.directory, Shard))
        self.settings = settings
        self.metrics = Metrics(alone=core.shards == 1)
        self.terms = Terms(
            core.shard,
            core.shards,
            core.horizon_ms,
            partitions=settings.topics.partitions,
            maker_ppm=core.maker_ppm,
            taker_ppm=core.taker_ppm,
            formats=settings.formats.version,
        )
        self.state = self.state_type()
        self.writer: Writer
        self.checkpoints: Checkpoints
        self.engine: EngineOutputs
        self._dump_asked = False
        self._unsaved = False  # whether anything was decided since the last snapshot
        self._framed_at_s = 0.0
        self._replayed: Batch = []  # what was republished, for whoever records spans

    def dump(self) -> None:
        """Write the balances after the batch in hand."""
        self._dump_asked = True

    def serving(self) -> AbstractContextManager[None]:
        """Serve the metrics, where that is configured."""
        return metrics_http.serving(self.metrics.registry, self.settings.metrics)

    # -- opening -------------------------------------------------------------------------------

    def open(self) -> None:
        """Take the directory, recover the log, check Kafka against it, publish what is due."""
        self.prepare(self.identify())
        self.restore()
        self.engine = EngineOutputs(
            self.state, self.terms, self.settings.ubscore.hole_ms_max, self.log
        )
        self.connect()
        self.verify()
        self._framed_at_s = time.monotonic()
        if self.settings.ubscore.dump_at_start or self._dump_asked:
            self.write_dump()
        self.republish()
        self.inputs.start(self.positions())
        self.log.info("ready", lsn=self.state.lsn, epoch=self.state.epoch.counter)

    def republish(self) -> None:
        """Publish what the log holds and Kafka has not acknowledged."""
        began_ns = tracing.clock()
        self.outbox.open()
        due = [(lsn, frame) for lsn, frame in self._replayed if lsn > self.state.mark.lsn]
        traces.record(due, self.terms.shard, began_ns, again=True)
        self._replayed.clear()

    def survey(self) -> Shard:
        """Ask Kafka what a data directory of this shard would belong to."""
        return cluster.survey(self.settings)

    def prepare(self, owner: Shard) -> None:
        """Make what writes the log and the snapshots."""
        path, identity = self.directory.path, owner.identity
        shape = Shape(owner.shard, identity, self.settings.ubscore.file_bytes)
        self.writer = self.writer_type(path, shape)
        newest = min(image.VERSION, self.terms.formats)
        snapshots = self.snapshots_type(path, identity, newest, self.log)
        self.checkpoints = Checkpoints(snapshots, self.metrics, self.log)

    def restore(self) -> None:
        """Fold snapshot and log into the state, then make it durable in a new generation."""
        began_s = time.perf_counter()
        self.checkpoints.restore(self.state)
        contents = self.read_log()
        recovery.refuse_newer(contents, self.terms.formats)
        recovery.replay(contents, self.state, self.outbox, self.fold, self.keep_outputs)
        self.recover(contents)
        self.metrics.recovery.set(time.perf_counter() - began_s)
        self.metrics.recovered.set(len(contents.frames))
        self.metrics.epoch.set(self.state.epoch.counter)
        self.metrics.count(self.state)
        recovery.say(contents, self.log, self.state.lsn)
        self.log.info(
            "recovered",
            lsn=self.state.lsn,
            frames=len(contents.frames),
            generation=self.writer.generation,
            republish=len(self.outbox.waiting),
        )

    def read_log(self) -> reader.Contents:
        """Read the log's files as far as they are needed; a damaged one is a halt."""
        needed = min(self.state.lsn, self.state.mark.lsn) + 1
        return reader.read(reader.read_directory(self.directory.path, needed), self.state.lsn)

    def fold(self, lsn: int, body: AnyBody) -> None:
        """Take in a frame of the log."""
        self.state.apply(lsn, body)
        if isinstance(body, AnyFrame):
            self._unsaved = True
            self.keep_outputs(lsn, body)
        elif isinstance(body, MarkFrame):
            self.outbox.acknowledged(body)

    def keep_outputs(self, lsn: int, frame: AnyFrame) -> None:
        """Remember what a frame publishes, until Kafka has it."""
        self.outbox.keep(lsn, frame.outputs, traces.origin(frame, self.terms.shard))
        if tracing.enabled():
            self._replayed.append((lsn, frame))

    def recover(self, contents: reader.Contents) -> None:
        """Begin a new epoch in a new generation of the log."""
        self.writer.clean()
        epoch = EpochFrame(self.state.epoch.counter + 1, secrets.token_hex(8))
        lsn = self.writer.recover(contents, epoch)
        self.state.apply(lsn, epoch)

    def verify(self) -> None:
        """Check Kafka's logs against ours before anything is consumed or published."""
        positions = self.positions()
        after = outputs.acknowledged(self.state, self.settings.outputs)
        consumed = {place: position.next_offset for place, position in positions.items()}
        marks = self.inputs.reaching(consumed | after)
        self.inputs.verify(positions, marks)
        outputs.verify(self.inputs, self.state, self.terms.shard, after, marks)

    def positions(self) -> dict[Place, Position]:
        """Return where each partition goes on that this shard reads."""
        return {
            (topic, p): self.engine.positions[p]
            if topic == OUTPUTS
            else self.state.position(topic, p)
            for topic, p in self.settings.inputs
        }

    def next_offset(self, topic: str, partition: int) -> int:
        """Return the offset of the next record that a partition owes us."""
        if topic == OUTPUTS:
            return self.engine.positions[partition].next_offset
        return self.state.position(topic, partition).next_offset

    def reached(self) -> dict[Place, int]:
        """Return the same of each partition that this shard reads."""
        return {place: self.next_offset(*place) for place in self.settings.inputs}

    # -- the loop ------------------------------------------------------------------------------

    def step(self) -> None:
        """Take a batch, decide it, make it durable, publish it; then tend to the rest."""
        messages = self.inputs.take(self.room(), self.patience_s())
        if messages:
            self.commit(self.judge(messages))
        self.halt_if_due()
        self.tend()

    def judge(self, messages: list[Message]) -> Batch:
        """Decide each record against a state that includes all earlier ones of the batch.

        A batch that grows too large for one commit is committed here, but for its end.
        """
        batch: Batch = []
        now_ms = time.time_ns() // 1_000_000
        for message in messages:
            try:
                frame = self.frame(message, now_ms)
            except Halt as halt:  # what came before it is still made durable and published
                self.halting = halt
                break
            if frame is not None:
                batch.append((self.keep(frame), frame))
            if self.writer.full:
                self.commit(batch)
                batch = []
        return batch

    def frame(self, message: Message, now_ms: int) -> AnyFrame | None:
        """Return the frame of a record; None if it has none, or if it is in the log already."""
        topic = message.topic() or ""
        if not self.fresh(topic, partition(message), offset(message)):
            return None
        if topic == OUTPUTS:
            fill = self.engine.judge(arrivals.read_output(message, self.terms, now_ms))
            return None if fill is None else traced(fill, self.context(message))
        frame = self.command(arrivals.read(message, self.terms, now_ms))
        return traced(frame, self.context(message))

    def context(self, message: Message) -> str:
        """Return the trace context that a frame shall remember."""
        return tracing.incoming(message) if self.terms.formats >= TRACES else ""

    def fresh(self, topic: str, partition: int, offset: int) -> bool:
        """Say whether a record is the next one."""
        return self.inputs.fresh(topic, partition, offset)

    def command(self, arrival: Arrival) -> CommandFrame:
        """Decide one command."""
        return decide(self.state, self.terms, arrival)

    def keep(self, frame: AnyFrame) -> int:
        """Put a frame into the coming commit and into the working state; return its LSN."""
        lsn = self.writer.append(frame)
        self.state.apply(lsn, frame)
        self._unsaved = True
        return lsn

    def commit(self, batch: Batch) -> None:
        """Make the batch durable with one sync; only then may anything of it leave."""
        if batch:
            began_ns = tracing.clock()
            self.frame_mark()
            self.sync()
            self.publish(batch)
            traces.record(batch, self.terms.shard, began_ns)
            self.metrics.batch(batch, self.state.lsn, len(self.outbox.waiting))

    def sync(self) -> None:
        """Make all appended frames durable."""
        took = self.writer.commit()
        if took is not None:
            self.metrics.append.observe(took.write_s)
            self.metrics.sync.observe(took.sync_s)

    def publish(self, batch: Batch) -> None:
        """Send the finished records of durable frames."""
        for lsn, frame in batch:
            self.outbox.publish(lsn, frame.outputs, traces.origin(frame, self.terms.shard))

    def frame_mark(self) -> None:
        """Put the outbox mark into the coming commit if it has moved."""
        mark = self.outbox.mark
        if mark.lsn > self.state.mark.lsn:
            self.state.apply(self.writer.append(mark), mark)

    # -- between batches -----------------------------------------------------------------------

    def tend(self) -> None:
        """Serve delivery reports, dashboards, dumps, snapshots, the frames of a quiet shard."""
        self.outbox.poll()
        self.inputs.show(self.reached)
        self.metrics.lag.show(self.inputs.consumer, self.reached)
        self.metrics.outbox.set(len(self.outbox.waiting))
        self.metrics.holes.set(self.engine.holes)
        self.metrics.orders.set(len(self.state.standing.orders))
        if self._dump_asked:
            self.write_dump()
        core = self.settings.ubscore
        if self.state.lsn - self.checkpoints.lsn >= core.snapshot_every:
            self.save()
        elif time.monotonic() - self._framed_at_s >= core.frame_every_ms / 1000:
            self.frame_quiet()

    def save(self) -> None:
        """Write a snapshot of all that is durable."""
        self.frame_quiet()
        self.checkpoints.take(self.state, self.writer)
        self.metrics.count(self.state)
        self._unsaved = False

    def frame_quiet(self) -> None:
        """Frame positions and mark, so that a quiet shard does not fall behind."""
        self._framed_at_s = time.monotonic()
        positions, links = tuple(self.positions().values()), self.engine.links
        frame = LinkFrame(positions, links) if links else PositionFrame(positions)
        self.state.apply(self.writer.append(frame), frame)
        if not self.outbox.waiting:
            # These two frames publish nothing: the mark passes them, so that no file with nothing
            # but older frames is read at a start.
            self.outbox.keep(self.writer.next_lsn, ())
        self.frame_mark()
        self.sync()

    def write_dump(self) -> None:
        """Write the balances as of the last durable frame."""
        self._dump_asked = False
        core = self.settings.ubscore
        path = core.dump or os.path.join(self.directory.path, "balances.json")
        dump.write(path, dump.render(self.state, core.shard), self.log)

    # -- closing -------------------------------------------------------------------------------

    def close(self) -> None:
        """Wait for acknowledgements, write a snapshot, and let go of everything.

        With the snapshot a planned restart, or another version, begins where this one ended. What
        is not acknowledged stays in the log; a kill meanwhile costs no more than the snapshot.
        """
        drained = self.drain()
        if self._unsaved:
            self.save()
        else:
            self.frame_mark()
            self.sync()
        self.writer.close()
        self.release()
        self.log.info("closed", lsn=self.state.lsn, all_acknowledged=drained)
