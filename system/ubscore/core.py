"""UBSCore: decides every command, makes the decision durable, and only then lets it out.

The loop is `run` and `step`. The order inside `commit` is the promise of the whole exchange:
frames, one sync, then the records. Whatever happens in between, the log says what was decided,
and everything after the outbox mark is published again from it. Snapshots, orders and the engine's
outputs join at `restore`, `command` and `State.apply`.
"""

import os
import secrets
import time
from typing import ClassVar

import msgspec
from confluent_kafka import Consumer, Message

from system import cluster, exits, kafka
from system.directory import DataDirectory
from system.errors import Halt
from system.inputs import Inputs
from system.kafka import Troubles
from system.log import Log
from system.outbox import Outbox
from system.records import OPERATIONS
from system.ubscore import arrivals, dump, outputs
from system.ubscore.arrivals import Arrival
from system.ubscore.cluster import Shard, survey
from system.ubscore.decide import Terms, decide
from system.ubscore.metrics import Metrics
from system.ubscore.settings import GROUP, Settings
from system.ubscore.state import State
from system.wal import reader
from system.wal.frames import (
    AnyBody,
    CommandFrame,
    EpochFrame,
    MarkFrame,
    Position,
    PositionFrame,
)
from system.wal.writer import Shape, Writer

Batch = list[tuple[int, CommandFrame]]

BUSY_WAIT_S = 0.1  # while delivery reports are due


class UBSCore:
    """One shard; safe to kill between any two lines."""

    name: ClassVar[str] = "ubscore"
    Config: ClassVar[type[msgspec.Struct]] = Settings
    writer_type: ClassVar[type[Writer]] = Writer
    outbox_type: ClassVar[type[Outbox]] = Outbox
    state_type: ClassVar[type[State]] = State

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.log = Log(self.name)
        self.metrics = Metrics()
        core = settings.ubscore
        self.terms = Terms(core.shard, core.shards, core.horizon_ms)
        self.directory = DataDirectory(core.data, Shard)
        self.state = self.state_type()
        producer = {**kafka.producer(settings.kafka, self.name), "error_cb": Troubles(self.log)}
        self.outbox = self.outbox_type(producer, self.log)
        self.writer: Writer
        self.inputs: Inputs
        self.stopping = False
        self.halting: Halt | None = None
        self._dump_asked = False
        self._framed_at_s = 0.0

    def stop(self) -> None:
        """End gracefully after the batch in hand."""
        self.stopping = True

    def dump(self) -> None:
        """Write the balances after the batch in hand."""
        self._dump_asked = True

    def run(self) -> int:
        """Serve until stopped."""
        self.open()
        while not self.stopping:
            self.step()
        self.close()
        return exits.OK

    # -- opening -------------------------------------------------------------------------------

    def open(self) -> None:
        """Take the directory, recover the log, check Kafka against it, publish what is due."""
        identity = self.identify()
        self.writer = self.writer_type(
            self.directory.path,
            Shape(identity.shard, identity.identity, self.settings.ubscore.file_bytes),
        )
        self.restore()
        self.connect()
        self.verify()
        self._framed_at_s = time.monotonic()
        if self.settings.ubscore.dump_at_start or self._dump_asked:
            self.write_dump()
        self.outbox.open()
        self.inputs.start(self.positions())
        self.log.info("ready", lsn=self.state.lsn, epoch=self.state.epoch.counter)

    def identify(self) -> Shard:
        """Take the directory; check that it, the configuration and Kafka belong together."""
        found = survey(self.settings)
        self.directory.lock()
        stored = self.directory.owner()
        cluster.compare(stored, found)
        return stored

    def restore(self) -> None:
        """Fold the log into the state, then make it durable in a new generation."""
        contents = self.read_log()
        for frame in contents.frames:
            self.fold(frame.lsn, frame.body)
        self.recover(contents)
        torn = contents.torn
        if torn is not None:
            self.log.warning(
                "torn_tail", file=torn.file, offset=torn.offset, bytes=torn.size, lsn=self.state.lsn
            )
        self.log.info(
            "recovered",
            lsn=self.state.lsn,
            frames=len(contents.frames),
            generation=self.writer.generation,
            republish=len(self.outbox.waiting),
        )

    def read_log(self) -> reader.Contents:
        """Read the log's files; a damaged one is a halt."""
        return reader.read(reader.read_directory(self.directory.path))

    def fold(self, lsn: int, body: AnyBody) -> None:
        """Take in a frame of the log."""
        self.state.apply(lsn, body)
        if isinstance(body, CommandFrame):
            self.outbox.keep(lsn, body.outputs)
        elif isinstance(body, MarkFrame):
            self.outbox.acknowledged(body)

    def recover(self, contents: reader.Contents) -> None:
        """Begin a new epoch in a new generation of the log."""
        self.writer.clean()
        epoch = EpochFrame(self.state.epoch.counter + 1, secrets.token_hex(8))
        lsn = self.writer.recover(contents, epoch)
        self.state.apply(lsn, epoch)

    def connect(self) -> None:
        """Make the consumer; it is told its positions, and never asks for them."""
        settings = kafka.consumer(self.settings.kafka, self.name, GROUP)
        consumer = Consumer({**settings, "error_cb": Troubles(self.log)})
        self.inputs = Inputs(
            consumer,
            self.settings.kafka,
            self.settings.ubscore.patience,
            OPERATIONS,
            self.next_offset,
            self.log,
        )

    def verify(self) -> None:
        """Check Kafka's logs against ours before anything is consumed or published."""
        self.inputs.verify(self.positions())
        outputs.verify(self.inputs, self.state, self.terms.shard, self.settings.owned)

    def positions(self) -> dict[int, Position]:
        """Return where each owned partition goes on: what the log says."""
        return {p: self.state.position(OPERATIONS, p) for p in self.settings.owned}

    def next_offset(self, partition: int) -> int:
        """Return the offset of the next record an owned partition owes us."""
        return self.state.position(OPERATIONS, partition).next_offset

    # -- the loop ------------------------------------------------------------------------------

    def step(self) -> None:
        """Take a batch, decide it, make it durable, publish it; then tend to the rest."""
        messages = self.inputs.take(self.room(), self.patience_s())
        if messages:
            self.commit(self.judge(messages))
        if self.halting is not None:
            self.outbox.drain(self.settings.ubscore.stop_ms / 1000)
            raise self.halting
        self.tend()

    def judge(self, messages: list[Message]) -> Batch:
        """Decide each record against a state that includes all earlier ones of the batch."""
        batch: Batch = []
        now_ms = time.time_ns() // 1_000_000
        for message in messages:
            try:
                arrival = self.arrival(message, now_ms)
            except Halt as halt:  # what came before it is still made durable and published
                self.halting = halt
                break
            if arrival is not None:
                frame = self.command(arrival)
                batch.append((self.keep(frame), frame))
        return batch

    def arrival(self, message: Message, now_ms: int) -> Arrival | None:
        """Read a record; None if its effects are in the log already."""
        partition, offset = message.partition() or 0, message.offset() or 0
        place = f"{OPERATIONS}[{partition}] offset {offset}"
        if not self.fresh(partition, offset):
            return None
        return arrivals.read(message, place, self.settings.topics.partitions, now_ms)

    def fresh(self, partition: int, offset: int) -> bool:
        """Say whether a record is the next one."""
        return self.inputs.fresh(partition, offset)

    def command(self, arrival: Arrival) -> CommandFrame:
        """Decide one command."""
        return decide(self.state, self.terms, arrival)

    def keep(self, frame: CommandFrame) -> int:
        """Put a command into the coming commit and into the working state; return its LSN."""
        lsn = self.writer.append(frame)
        self.state.apply(lsn, frame)
        return lsn

    def commit(self, batch: Batch) -> None:
        """Make the batch durable with one sync; only then may anything of it leave."""
        if batch:
            self.frame_mark()
            self.sync()
            self.publish(batch)
            self.metrics.batch(batch, self.state.lsn, len(self.outbox.waiting))

    def sync(self) -> None:
        """Make all appended frames durable."""
        begun = time.perf_counter()
        self.writer.commit()
        self.metrics.commit.observe(time.perf_counter() - begun)

    def publish(self, batch: Batch) -> None:
        """Send the finished records of durable frames."""
        for lsn, frame in batch:
            self.outbox.publish(lsn, frame.outputs)

    def frame_mark(self) -> None:
        """Put the outbox mark into the coming commit if it has moved."""
        mark = self.outbox.mark
        if mark.lsn > self.state.mark.lsn:
            self.state.apply(self.writer.append(mark), mark)

    # -- between batches -----------------------------------------------------------------------

    def tend(self) -> None:
        """Serve delivery reports, dashboards, dumps, and the frames of a quiet shard."""
        self.outbox.poll()
        self.inputs.show({p: self.next_offset(p) for p in self.settings.owned})
        if self._dump_asked:
            self.write_dump()
        every_s = self.settings.ubscore.frame_every_ms / 1000
        if time.monotonic() - self._framed_at_s >= every_s:
            self.frame_quiet()

    def frame_quiet(self) -> None:
        """Frame positions and mark, so that a quiet shard does not fall behind."""
        self._framed_at_s = time.monotonic()
        positions = PositionFrame(tuple(self.positions().values()))
        self.state.apply(self.writer.append(positions), positions)
        self.frame_mark()
        self.sync()

    def room(self) -> int:
        """Return how many commands may be taken; waits while too much is on its way out."""
        core = self.settings.ubscore
        while len(self.outbox.waiting) >= core.unacknowledged_max and not self.stopping:
            self.outbox.poll(BUSY_WAIT_S)
        return core.batch

    def patience_s(self) -> float:
        """Return how long to wait for input: not long while delivery reports are due."""
        idle_s = self.settings.ubscore.idle_ms / 1000
        return min(idle_s, BUSY_WAIT_S) if self.outbox.waiting else idle_s

    def write_dump(self) -> None:
        """Write the balances as of the last durable frame."""
        self._dump_asked = False
        core = self.settings.ubscore
        path = core.dump or os.path.join(core.data, "balances.json")
        dump.write(path, dump.render(self.state, core.shard), self.log)

    # -- closing -------------------------------------------------------------------------------

    def close(self) -> None:
        """Wait for acknowledgements, frame the mark, and let go of everything."""
        drained = self.outbox.drain(self.settings.ubscore.stop_ms / 1000)
        self.frame_mark()
        self.sync()
        self.writer.close()
        self.outbox.discard()
        self.inputs.consumer.close()
        self.directory.unlock()
        self.log.info("closed", lsn=self.state.lsn, all_acknowledged=drained)
