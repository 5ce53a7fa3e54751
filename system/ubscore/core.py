"""UBSCore: decides every command, makes the decision durable, and only then lets it out.

The loop is `run` and `step`. The order inside `commit` is the promise of the whole exchange:
frames, one sync, then the records. Whatever happens in between, the log says what was decided,
and everything after the outbox mark is published again from it.
"""

import os
import time
from contextlib import AbstractContextManager

from confluent_kafka import Message

from system import metrics_http, tracing
from system.errors import Halt
from system.formats import TRACES
from system.marks import Place
from system.records import OUTPUTS
from system.ubscore import arrivals, dump, traces
from system.ubscore.arrivals import Arrival
from system.ubscore.decide import decide
from system.ubscore.engine import EngineOutputs
from system.ubscore.opening import Batch, Opening
from system.ubscore.settings import Settings
from system.wal.frames import AnyFrame, CommandFrame, LinkFrame, PositionFrame
from system.wal.traced import traced
from system.wal.writer import Took


class UBSCore(Opening):
    """One shard; safe to kill between any two lines."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._dump_asked = False
        self._framed_at_s = 0.0
        self._under_way: Batch = []  # its sync has begun; nothing of it has left
        self._under_way_ns = 0

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

    # -- the loop ------------------------------------------------------------------------------

    def step(self) -> None:
        """Take a batch, decide it, make it durable, publish it; then tend to the rest.

        Behind a full batch there is more: that is decided while the log is synced.
        """
        messages = self.inputs.take(self.room(), self.patience_s())
        batch = self.judge(messages) if messages else []
        self.conclude()
        if len(messages) < self.limits.batch or self.halting:
            self.commit(batch)
        else:
            self.begin(batch)
        self.halt_if_due()
        self.tend()

    def patience_s(self) -> float:
        """Return how long to wait for input: not at all while a batch is under way."""
        return 0.0 if self._under_way else super().patience_s()

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
        source = arrivals.source_of(message)
        if not self.fresh(source.topic, source.partition, source.offset):
            return None
        if source.topic == OUTPUTS:
            fill = self.engine.judge(arrivals.read_output(message, source, self.terms, now_ms))
            return None if fill is None else traced(fill, self.context(message))
        frame = self.command(arrivals.read(message, source, self.terms, now_ms))
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
        self.conclude()
        if batch:
            began_ns = tracing.clock()
            self.frame_mark()
            self.sync()
            self.let_out(batch, began_ns)

    def begin(self, batch: Batch) -> None:
        """Write the batch and begin its sync; `conclude` waits for that before anything leaves."""
        if batch:
            self._under_way_ns = tracing.clock()
            self.frame_mark()
            self.writer.begin()
            self._under_way = batch

    def conclude(self) -> None:
        """Make the batch that is under way durable, and let it out."""
        batch, self._under_way = self._under_way, []
        if batch:
            self.synced(self.writer.finish())
            self.let_out(batch, self._under_way_ns)

    def let_out(self, batch: Batch, began_ns: int) -> None:
        """Publish a batch that is durable, and count it."""
        self.publish(batch)
        traces.record(batch, self.terms.shard, began_ns)
        self.metrics.batch(batch, self.writer.synced_lsn, len(self.outbox.waiting))

    def sync(self) -> None:
        """Make all appended frames durable."""
        self.synced(self.writer.commit())

    def synced(self, took: Took | None) -> None:
        """Count a sync."""
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
        self.inputs.show(self.secured)
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

    def secured(self) -> dict[Place, int]:
        """Return the offset of the next record of each partition, all before it being durable."""
        self.conclude()
        return self.reached()

    def save(self) -> None:
        """Write a snapshot of all that is durable."""
        self.frame_quiet()
        self.checkpoints.take(self.state, self.writer)
        self.metrics.count(self.state)
        self._unsaved = False

    def frame_quiet(self) -> None:
        """Frame positions and mark, so that a quiet shard does not fall behind."""
        self.conclude()
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
        self.conclude()
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
        self.conclude()
        drained = self.drain()
        if self._unsaved:
            self.save()
        else:
            self.frame_mark()
            self.sync()
        self.writer.close()
        self.release()
        self.log.info("closed", lsn=self.state.lsn, all_acknowledged=drained)
