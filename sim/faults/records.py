"""Faults of records: what a broker acknowledged is gone, or is not what it was."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from sim.bounds import demand
from sim.faults.base import Fault, Receipt
from sim.faults.brokers import at_every_broker
from sim.kafka.batch import Batch
from sim.kafka.cluster.log import Log, LogRecord
from sim.world import World


@dataclass(frozen=True, slots=True)
class Spoiled:
    """What became of a record, for its receipt: `how` is emptied, closed_up or altered."""

    topic: str
    partition: int
    offset: int
    how: str
    at_ns: int
    key: bytes
    was: bytes
    now: bytes = b""


@dataclass(frozen=True, slots=True)
class LoseRecord(Fault):
    """The `ordinal`-th record that comes to `topic` is acknowledged, and gone before it is read.

    With `gap` its offset stays empty, as where a topic is cleaned that must not be
    (``cleanup.policy=compact``); without, the next record takes it, as after an unclean election.
    """

    topic: str
    ordinal: int = 1
    gap: int = 0

    def __post_init__(self) -> None:
        demand(self, 1, None, "ordinal")
        demand(self, 0, 1, "gap")

    @property
    def targets(self) -> tuple[str, ...]:
        """The topic."""
        return (self.topic,)

    @property
    def kind(self) -> str:
        """Counted by what is left in its place."""
        return f"LoseRecord({'gap' if self.gap else 'no gap'})"

    @contextmanager
    def injected(self, world: World) -> Generator[Receipt]:
        """Wait for the record until the block ends; nothing heals the loss."""

        def lose(log: Log, record: LogRecord) -> bytes:
            if self.gap:
                log.lose(record.offset)
            else:
                log.close_up(record.offset)
            return b""

        how = "emptied" if self.gap else "closed_up"
        with _spoiling(world, self.topic, self.ordinal, how, lose) as receipt:
            yield receipt


@dataclass(frozen=True, slots=True)
class AlterRecord(Fault):
    """In the `ordinal`-th record that comes to `topic` one bit flips before it is read.

    `byte` counts from the start of its value and begins again at the end. With `stale` the batch
    keeps the checksum it had, as where a drive rots, and who looks at it (``check.crcs``) can tell;
    without, it has that of what is there now, as where it is altered before it is appended.
    """

    topic: str
    ordinal: int = 1
    byte: int = 0
    bit: int = 0
    stale: int = 0

    def __post_init__(self) -> None:
        demand(self, 1, None, "ordinal")
        demand(self, 0, None, "byte")
        demand(self, 0, 7, "bit")
        demand(self, 0, 1, "stale")

    @property
    def targets(self) -> tuple[str, ...]:
        """The topic."""
        return (self.topic,)

    @property
    def kind(self) -> str:
        """Counted by what its checksum tells."""
        return f"AlterRecord({'old' if self.stale else 'new'} checksum)"

    @contextmanager
    def injected(self, world: World) -> Generator[Receipt]:
        """Wait for the record until the block ends; nothing heals it."""

        def alter(log: Log, record: LogRecord) -> bytes:
            value = bytearray(record.value or b"\0")
            value[self.byte % len(value)] ^= 1 << self.bit
            log.alter(record.offset, bytes(value), stale=bool(self.stale))
            return bytes(value)

        with _spoiling(world, self.topic, self.ordinal, "altered", alter) as receipt:
            yield receipt


@contextmanager
def _spoiling(
    world: World,
    topic: str,
    ordinal: int,
    how: str,
    spoil: Callable[[Log, LogRecord], bytes],
) -> Generator[Receipt]:
    """Let `spoil` have the record wanted as soon as it is in its log, before anybody reads it.

    `spoil` returns what the record is now.
    """
    receipt = Receipt((topic,))
    come = 0

    def appended(name: str, partition: int, log: Log, batch: Batch) -> None:
        nonlocal come
        if name != topic or receipt.bites:
            return
        before, come = come, come + batch.count
        if come < ordinal:
            return
        offset = batch.base_offset + ordinal - before - 1
        record = log.record(offset)
        now = spoil(log, record)
        receipt.bite(f"records {how.replace('_', ' ')}")
        was, key = record.value or b"", record.key or b""
        place = (topic, partition, offset)
        receipt.damage.append(Spoiled(*place, how, world.kernel.now, key, was, now))
        receipt.say("where", f"{topic}[{partition}] offset {offset}")
        world.kernel.trace.record("spoiled", topic, partition, offset)

    with at_every_broker(world, lambda state: state.spoilers, appended):
        yield receipt
