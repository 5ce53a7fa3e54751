"""Harm to what brokers hold: done on the way there, to whoever sends it, however often.

A record is lost without a gap like this: it is taken out of its batch, and what its producer sends
later is numbered one lower, so that the broker misses nothing. A batch of that record alone is
answered as the batch before it, sent twice. The first batch of a producer is never lost. With a gap
its offset is taken by the end of a transaction that nobody began, which no consumer is shown; it
is the first record of its batch then. A record whose checksum no longer holds no broker would take:
it is altered on its way to whoever reads it, each time.
"""

from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scenarios.backends import kafka_wire
from scenarios.stages.real.counterpart import Counterpart, Counterparts, proxied
from scenarios.stages.real.proxies import produce
from scenarios.stages.real.proxies.weather import Fate, Passage
from sim.faults import AlterRecord, LoseRecord, Receipt
from sim.faults.records import Spoiled
from sim.kafka.batch import Batch

if TYPE_CHECKING:
    from scenarios.stages.real.town import RealTown

Sender = tuple[int, int, int]  # producer, its epoch, and the number that its batch begins with


@contextmanager
def alter_record(fault: AlterRecord, town: "RealTown") -> Generator[Receipt]:
    """Wait for the record until the block ends; nothing heals it."""
    receipt = Receipt(fault.targets)
    alteration = (_Rot if fault.stale else _Alteration)(fault, town, receipt)
    town.weather.always(alteration.judge)  # what has rotted is read as it is for ever
    try:
        yield receipt
    finally:
        alteration.over = True


@contextmanager
def lose_record(fault: LoseRecord, town: "RealTown") -> Generator[Receipt]:
    """Wait for the record until the block ends; nothing heals the loss."""
    receipt = Receipt(fault.targets)
    loss = (_Emptying if fault.gap else _Loss)(fault, town, receipt)
    town.weather.always(loss.judge)  # what comes later is numbered lower while the producer lives
    try:
        yield receipt
    finally:
        loss.over = True


class _Spoiling(ABC):
    """Spoils one record as it passes, and learns from the answer where it stands."""

    def __init__(self, fault: AlterRecord | LoseRecord, town: "RealTown", receipt: Receipt) -> None:
        self.fault = fault
        self.town = town
        self.receipt = receipt
        self.index = 0  # of the record in its batch
        self.chosen: tuple[int, Sender] | None = None  # partition; whose batch
        self.record = (b"", b"", b"")  # key, what it was, what it is
        self.over = False  # whether no record is to be chosen any more
        self._come = 0
        self._asked: dict[tuple[str, str, int], int] = {}  # client, broker, correlation id: version

    @abstractmethod
    def spoiled(self, partition: int, batch: Batch, data: bytes) -> bytes:
        """Return what is passed on in place of a batch."""

    @abstractmethod
    def offset(self, base: int) -> int:
        """Return where the record stands, or should: its batch was answered with this offset."""

    @property
    @abstractmethod
    def how(self) -> str:
        """What becomes of the record."""

    def may_be(self, partition: int, batch: Batch) -> bool:  # noqa: ARG002 - most may
        """Whether a record of this batch can be spoiled."""
        return True

    def which(self, before: int) -> int:
        """Return which record of the chosen batch it is; so many have come `before` the batch."""
        return max(self.fault.ordinal - before - 1, 0)

    def judge(self, passage: Passage) -> Fate:
        """Look at what passes."""
        if passage.kind == "Produce":
            return self._sent(passage)
        if passage.kind == "ProduceResponse":
            self._answered(passage)
        return Fate()

    def _sent(self, passage: Passage) -> Fate:
        version, correlation, body = produce.request(passage.content)
        frame = passage.content
        for partition, data in produce.batches(body, self.fault.topic):
            batch = Batch.decode(data)
            self._choose(partition, batch)
            other = self.spoiled(partition, batch, data)
            if other != data:
                frame = produce.with_batch(frame, self.fault.topic, partition, other)
            if self.chosen == (partition, sender(batch)):
                self._asked[passage.source, passage.target, correlation] = version
        return Fate(content=frame) if frame != passage.content else Fate()

    def _choose(self, partition: int, batch: Batch) -> None:
        """Take the batch with the record wanted, once, or the next one that may be."""
        if self.chosen is not None or self.over:
            return
        before, self._come = self._come, self._come + batch.count
        if self._come >= self.fault.ordinal and self.may_be(partition, batch):
            self.index = self.which(before)
            self.chosen = partition, sender(batch)
            key, was, *_ = batch.records[self.index]
            self.record = key or b"", was or b"", b""

    def _answered(self, passage: Passage) -> None:
        correlation = produce.answer(passage.content)
        version = self._asked.pop((passage.target, passage.source, correlation), None)
        if version is None or self.chosen is None or self.receipt.bites:
            return
        partition, topic = self.chosen[0], self.fault.topic
        base = produce.offset_of(passage.content, version, topic, partition)
        if base is None:
            return
        place = topic, partition, self.offset(base)
        self.receipt.bite(f"records {self.how.replace('_', ' ')}")
        at_ns = self.town.clock.now
        key, was, now = self.record
        self.receipt.damage.append(Spoiled(*place, self.how, at_ns, key, was, now))
        self.receipt.say("where", f"{topic}[{partition}] offset {place[2]}")


class _Alteration(_Spoiling):
    """Flips a bit of the record."""

    fault: AlterRecord
    how = "altered"

    def spoiled(self, partition: int, batch: Batch, data: bytes) -> bytes:
        """Return the batch with the record altered; any other as it is."""
        if self.chosen != (partition, sender(batch)):
            return data
        found = produce.altered(data, self.index, self.fault.byte, self.fault.bit)
        self.record = found.key, found.was, found.now
        return found.data

    def offset(self, base: int) -> int:
        """Return where the record stands."""
        return base + self.index


class _Rot(_Alteration):
    """Flips a bit of the record for those who read it, and leaves its batch's checksum."""

    def judge(self, passage: Passage) -> Fate:
        """Look at what is read, too."""
        if passage.kind != "FetchResponse" or self.chosen is None:
            return super().judge(passage)
        _, was, _ = self.record
        whose, place = self.chosen[1], (self.fault.byte, self.fault.bit)
        content = produce.rotten(passage.content, whose, was, *place)
        return Fate(content=content) if content != passage.content else Fate()

    def spoiled(self, partition: int, batch: Batch, data: bytes) -> bytes:
        """Let the batch pass, and note what becomes of the record."""
        super().spoiled(partition, batch, data)
        return data


class _Loss(_Spoiling):
    """Takes the record out, and closes up what its producer sends later."""

    fault: LoseRecord
    how = "closed_up"

    def __init__(self, fault: LoseRecord, town: "RealTown", receipt: Receipt) -> None:
        super().__init__(fault, town, receipt)
        self._before: dict[tuple[int, int, int], bytes] = {}  # the batch before, of each producer
        self._instead = 0  # how many records the batch has that is sent twice; 0: none is

    def may_be(self, partition: int, batch: Batch) -> bool:
        """Whether the batch has another record, or one was sent before it."""
        return batch.count > 1 or _stream(partition, batch) in self._before

    def spoiled(self, partition: int, batch: Batch, data: bytes) -> bytes:
        """Return a batch without the record, the one before again, or one numbered lower."""
        stream = _stream(partition, batch)
        if self.chosen is None:
            self._before[stream] = data
            return data
        place, (producer, epoch, sequence) = self.chosen
        if stream != (place, producer, epoch) or batch.base_sequence < sequence:
            return data
        if batch.base_sequence > sequence:
            return produce.renumbered(data, batch.base_sequence - 1)
        if batch.count > 1:
            return produce.without(data, self.index)
        self._instead = Batch.decode(self._before[stream]).count
        return self._before[stream]

    def offset(self, base: int) -> int:
        """Return the offset that the next record takes."""
        return base + (self._instead or self.index)


class _Emptying(_Loss):
    """Takes the record out, and has its offset taken by what nobody is shown."""

    how = "emptied"
    _at = -1  # the offset

    def which(self, before: int) -> int:  # noqa: ARG002 - what lies in a batch has no gaps
        """Return the first one."""
        return 0

    def spoiled(self, partition: int, batch: Batch, data: bytes) -> bytes:
        """Empty the offset before the rest of the batch, or what comes later, is let through."""
        if self._at < 0 and self.chosen == (partition, sender(batch)):
            brokers = [broker.address for broker in self.town.backend.brokers]
            self._at = kafka_wire.mark(brokers, self.fault.topic, partition)
        return super().spoiled(partition, batch, data)

    def offset(self, base: int) -> int:  # noqa: ARG002 - of what was let through
        """Return the offset that stays empty."""
        return self._at


def sender(batch: Batch) -> Sender:
    """Return which producer's batch it is, and which of them."""
    return batch.producer_id, batch.producer_epoch, batch.base_sequence


def _stream(partition: int, batch: Batch) -> tuple[int, int, int]:
    return partition, batch.producer_id, batch.producer_epoch


COUNTERPARTS: Counterparts = {
    AlterRecord: Counterpart(
        "a proxy flips the bit before the broker has it, or whenever it is read",
        proxied,
        alter_record,
        "topics",
        "",
        needs_proxies=True,
    ),
    LoseRecord: Counterpart(
        "a proxy takes it out; its sender hears otherwise",
        proxied,
        lose_record,
        "topics",
        "",
        needs_proxies=True,
    ),
}
