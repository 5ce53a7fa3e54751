"""Harm to what brokers hold: a record is altered on its way there; the rest has no counterpart.

Who sends it again sends what a proxy altered again, so that the log holds nothing else.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from scenarios.stages.real.counterpart import Counterpart, Counterparts, Setting, none
from scenarios.stages.real.proxies import produce
from scenarios.stages.real.proxies.produce import Altered
from scenarios.stages.real.proxies.weather import Fate, Passage
from sim.faults import AlterRecord, LoseRecord, Receipt
from sim.faults.records import Spoiled
from sim.kafka.batch import Batch

if TYPE_CHECKING:
    from scenarios.stages.real.town import RealTown


@contextmanager
def alter_record(fault: AlterRecord, town: "RealTown") -> Generator[Receipt]:
    """Wait for the record until the block ends; nothing heals it."""
    receipt = Receipt(fault.targets)
    with town.weather.rule(_Alteration(fault, town, receipt).judge):
        yield receipt


class _Alteration:
    """Alters one record as it passes, and learns from the answer where it stands."""

    def __init__(self, fault: AlterRecord, town: "RealTown", receipt: Receipt) -> None:
        self.fault = fault
        self.town = town
        self.receipt = receipt
        self._come = 0
        self._index = 0  # of the record in its batch
        self._of: tuple[int, tuple[int, int, int]] | None = None  # partition; whose batch
        self._altered: Altered | None = None
        self._asked: dict[tuple[str, int], int] = {}  # (client, correlation id): version

    def judge(self, passage: Passage) -> Fate:
        """Look at what passes."""
        if passage.kind == "Produce":
            return self._sent(passage)
        if passage.kind == "ProduceResponse":
            self._answered(passage)
        return Fate()

    def _sent(self, passage: Passage) -> Fate:
        version, correlation, body = produce.request(passage.content)
        for partition, data in produce.batches(body, self.fault.topic):
            batch = Batch.decode(data)
            self._choose(partition, batch)
            if self._of == (partition, _sender(batch)):
                self._altered = produce.altered(data, self._index, self.fault.byte, self.fault.bit)
                self._asked[passage.source, correlation] = version
                frame = produce.with_batch(
                    passage.content, self.fault.topic, partition, self._altered.data
                )
                return Fate(content=frame)
        return Fate()

    def _choose(self, partition: int, batch: Batch) -> None:
        """Take the batch with the record wanted, once."""
        if self._of is None:
            before, self._come = self._come, self._come + batch.count
            if self._come >= self.fault.ordinal:
                self._index = self.fault.ordinal - before - 1
                self._of = partition, _sender(batch)

    def _answered(self, passage: Passage) -> None:
        version = self._asked.pop((passage.target, produce.answer(passage.content)), None)
        if version is None or self._of is None or self._altered is None or self.receipt.bites:
            return
        partition, topic = self._of[0], self.fault.topic
        base = produce.offset_of(passage.content, version, topic, partition)
        if base is None:
            return
        _, key, was, now = self._altered
        place = topic, partition, base + self._index
        self.receipt.bite("records altered")
        self.receipt.damage.append(Spoiled(*place, "altered", self.town.clock.now, key, was, now))
        self.receipt.say("where", f"{topic}[{partition}] offset {place[2]}")


def _sender(batch: Batch) -> tuple[int, int, int]:
    """Return what names a batch that is sent again."""
    return batch.producer_id, batch.producer_epoch, batch.base_sequence


def _proxied(_: Any, where: Setting) -> str:
    return "" if where.backend.abilities else "nothing is put before servers that others run"


COUNTERPARTS: Counterparts = {
    AlterRecord: Counterpart(
        "a proxy flips the bit before the broker has it, its checksum made anew",
        _proxied,
        alter_record,
        "topics",
        "",
        needs_proxies=True,
    ),
    LoseRecord: none("a record in a broker's log cannot be taken out from outside"),
}
