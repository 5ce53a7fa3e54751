"""Harm to what brokers have of each other: too few replicas in sync for a batch to be taken.

A partition of one replica is always in sync with itself. So the batch loses its checksum on the
way, which no broker takes, and the answer that comes back names the missing replicas instead.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kio.schema.errors import ErrorCode

from scenarios.stages.real.counterpart import Counterpart, Counterparts, proxied
from scenarios.stages.real.proxies import produce
from scenarios.stages.real.proxies.weather import Fate, Passage
from sim.faults import Receipt, ShrinkIsr

if TYPE_CHECKING:
    from scenarios.stages.real.town import RealTown


@contextmanager
def shrink_isr(fault: ShrinkIsr, town: "RealTown") -> Generator[Receipt]:
    """Have so many batches refused until the block ends."""
    refusal = _Refusal(fault)
    town.weather.always(refusal.judge)  # an answer may still be on its way at the end
    try:
        yield refusal.receipt
    finally:
        refusal.over = True


class _Refusal:
    """Spoils batches on their way to brokers, and says why in the brokers' answers."""

    def __init__(self, fault: ShrinkIsr) -> None:
        self.receipt = Receipt(fault.targets)
        self.over = False
        self._topic, self._left = fault.topic, fault.count
        # (client, broker, correlation id): version, partitions
        self._asked: dict[tuple[str, str, int], tuple[int, list[int]]] = {}

    def judge(self, passage: Passage) -> Fate:
        """Look at what passes."""
        if passage.kind == "Produce" and self._left and not self.over:
            return self._sent(passage)
        if passage.kind == "ProduceResponse" and self._asked:
            return self._answered(passage)
        return Fate()

    def _sent(self, passage: Passage) -> Fate:
        version, correlation, body = produce.request(passage.content)
        taken = list(produce.batches(body, self._topic))[: self._left]
        frame = passage.content
        for partition, data in taken:
            frame = produce.with_batch(frame, self._topic, partition, produce.untakeable(data))
        if not taken:
            return Fate()
        self._left -= len(taken)
        key = passage.source, passage.target, correlation
        self._asked[key] = version, [partition for partition, _ in taken]
        return Fate(content=frame)

    def _answered(self, passage: Passage) -> Fate:
        key = passage.target, passage.source, produce.answer(passage.content)
        version, partitions = self._asked.pop(key, (0, []))
        frame = passage.content
        for partition in partitions:
            why = ErrorCode.not_enough_replicas
            frame = produce.refused(frame, version, self._topic, partition, why)
            self.receipt.bite("batches refused")
        return Fate(content=frame) if partitions else Fate()


COUNTERPARTS: Counterparts = {
    ShrinkIsr: Counterpart(
        "a proxy has the batch refused, and says why", proxied, shrink_isr, "topics", "", True
    ),
}
