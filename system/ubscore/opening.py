"""Opening: from a data directory, and what Kafka has, to a state that goes on where it ended.

Snapshot and log are folded into the state, and what was read is made durable once more before it
counts. Kafka's logs are held against ours before anything is consumed or published.
"""

import secrets
import time
from typing import ClassVar

import msgspec

from system import tracing
from system.directory import DataDirectory
from system.loop import Loop
from system.marks import Place
from system.outbox import Outbox
from system.records import OUTPUTS
from system.snapshots import Snapshots
from system.ubscore import cluster, image, outputs, recovery, traces
from system.ubscore.checkpoints import Checkpoints
from system.ubscore.cluster import Shard
from system.ubscore.engine import EngineOutputs
from system.ubscore.metrics import Metrics
from system.ubscore.settings import GROUP, Settings
from system.ubscore.state import State
from system.ubscore.terms import Terms
from system.wal import reader
from system.wal.frames import AnyBody, AnyFrame, EpochFrame, MarkFrame, Position
from system.wal.writer import Shape, Writer

Batch = list[tuple[int, AnyFrame]]


class Opening(Loop[Shard]):
    """What one shard consists of, and how it is put together again after anything."""

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
        self._unsaved = False  # whether anything was decided since the last snapshot
        self._replayed: Batch = []  # what was republished, for whoever records spans

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

    def republish(self) -> None:
        """Publish what the log holds and Kafka has not acknowledged."""
        began_ns = tracing.clock()
        self.outbox.open()
        due = [(lsn, frame) for lsn, frame in self._replayed if lsn > self.state.mark.lsn]
        traces.record(due, self.terms.shard, began_ns, again=True)
        self._replayed.clear()
