"""One partition of the events topic, read in the order of its numbers, up to the cut and beyond."""

from collections.abc import Iterator

import msgspec

from reports.breaks import Break
from reports.live.numbering import UNHEARD, Arrived, Numbers, Odd
from reports.live.sources import Cut, Entry, Sources
from system.records import EVENTS, decode_event


class Replay:
    """Yields events as Settlement would apply them; tells `odd` what it cannot decode."""

    def __init__(self, sources: Sources, cut: Cut, partition: int, odd: Odd = UNHEARD) -> None:
        self.odd = odd
        self.sources = sources
        self.partition = partition
        self.low = cut.events[partition].low
        self.settled = cut.settled_offset(partition)
        self.numbers = Numbers(0 if self.low else 1, odd)
        settled = cut.settled.get(partition)
        expected = settled.expected if settled is not None else None
        self.claimed = max(expected.values(), default=0) if expected else 0
        self.next_at_cut = 0
        self.records = 0

    def read(self, end: int) -> Iterator[tuple[bool, Arrived]]:
        """Yield (before the cut, event) up to an offset; what is missing at the cut is lost."""
        numbers = self.numbers
        for arrived in self._applied(self.low, self.settled, numbers):
            yield True, arrived
        for arrived in numbers.settle():
            yield True, arrived
        self.next_at_cut = numbers.next
        for arrived in self._arrived(self.settled, end):
            self._believe(arrived.event.n)
            for applied in numbers.take(arrived):
                yield False, applied
        self._believe(self.claimed)

    def _believe(self, n: int) -> None:
        """Declare lost what Settlement says it applied, unless a later event speaks against it."""
        if not self.next_at_cut < self.claimed <= n or self.numbers.next != self.next_at_cut:
            return
        if self.next_at_cut:
            self.numbers.skip_to(self.claimed)
        else:  # nothing before the cut is retained
            self.numbers.begin_at(self.claimed)
        self.next_at_cut = self.claimed

    def read_after(self, end: int) -> Iterator[Arrived]:
        """Yield the events between the cut and an offset, once more."""
        return self._applied(self.settled, end, Numbers(self.next_at_cut))

    def _applied(self, low: int, high: int, numbers: Numbers) -> Iterator[Arrived]:
        for arrived in self._arrived(low, high):
            yield from numbers.take(arrived)

    def _arrived(self, low: int, high: int) -> Iterator[Arrived]:
        for entry in self.sources.events(self.partition, low, high):
            self.records += 1
            arrived = self._decoded(entry)
            if arrived is not None:
                yield arrived

    def _decoded(self, entry: Entry) -> Arrived | None:
        value = entry.value or b""
        try:
            event = decode_event(value)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self.odd.unreadable(undecodable(f"{EVENTS}/{self.partition}@{entry.offset}", error))
            return None
        return Arrived(event, entry.offset, entry.timestamp_ms, hash(value))


def undecodable(where: str, error: Exception) -> Break:
    """Return the break of a record that nobody can read."""
    return Break(
        invariant="I18",
        code="UNDECODABLE",
        where=where,
        expected="a record of a known format",
        found=str(error),
        cause="what it meant cannot be reconciled; programs stop at it",
    )
