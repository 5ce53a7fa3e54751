"""The numbers of one partition's events: puts records in order, and says what is a copy.

A consumer discards what comes before its turn, and the sender sends it again. Here it is kept
until its turn comes. A number that never came is a *gap*: declared at the cut, because nothing
is committed beyond an open hole, or when more is waiting than a sender ever has on its way.
"""

from array import array
from collections.abc import Callable
from typing import Any, NamedTuple

from reports.breaks import Break
from system.records import Event

_REMEMBERED = 1 << 16  # hashes of records a copy is compared with
_AHEAD_MAX = 100_000


class Arrived(NamedTuple):
    """An event, where it lies, and the hash of its bytes."""

    event: Event
    offset: int
    timestamp_ms: int
    hashed: int


def _nobody(*_: Any) -> None:
    """Listen to nothing."""


class Odd(NamedTuple):
    """Who is told of what is not as it should be, as it is read: nothing of it is kept here."""

    differs: Callable[[Arrived], None] = _nobody  # a number given twice, with other content
    lost: Callable[[int, int], None] = _nobody  # the first and last of numbers that never came
    unreadable: Callable[[Break], None] = _nobody


UNHEARD = Odd()


class Numbers:
    """Judges a partition's events in the order of their offsets; `next` 0: the first one tells."""

    def __init__(self, next_: int, odd: Odd = UNHEARD) -> None:
        self.odd = odd
        self.next = next_
        self.first = next_
        self.ahead: dict[int, Arrived] = {}
        self.copies = 0
        self.uncompared = 0  # copies whose first sending is too long ago
        self._begin = next_  # the number of the first hash
        self._hashes = array("q")

    @property
    def last(self) -> int:
        """The last number in order."""
        return self.next - 1

    def take(self, arrived: Arrived) -> list[Arrived]:
        """Return what is to be applied now, in order."""
        n = arrived.event.n
        if self.next == 0:
            self.begin_at(n)
        if n == self.next:
            return self._apply(arrived)
        if n < self.next:
            self._copy(arrived)
        elif n in self.ahead:
            self._compare(self.ahead[n].hashed, arrived)
        else:
            self.ahead[n] = arrived
            if len(self.ahead) > _AHEAD_MAX:
                return self._close_gap()
        return []

    def begin_at(self, n: int) -> None:
        """Say which number is the first that can still be read."""
        self.next = self.first = self._begin = n

    def settle(self) -> list[Arrived]:
        """Declare all that is missing lost, and return what waited for it."""
        applied: list[Arrived] = []
        while self.ahead:
            applied += self._close_gap()
        return applied

    def _apply(self, arrived: Arrived) -> list[Arrived]:
        applied = [arrived]
        self._keep(arrived.hashed)
        while self.ahead and self.next in self.ahead:
            following = self.ahead.pop(self.next)
            applied.append(following)
            self._keep(following.hashed)
        return applied

    def _keep(self, hashed: int) -> None:
        """Remember the hash of the next number; at first the memory grows, then it goes round."""
        if len(self._hashes) < _REMEMBERED:
            self._hashes.append(hashed)
        else:
            self._hashes[(self.next - self._begin) % _REMEMBERED] = hashed
        self.next += 1

    def skip_to(self, n: int) -> None:
        """Declare everything below a number lost."""
        self.odd.lost(self.next, n - 1)
        if n - self.next > _REMEMBERED:
            self._hashes = array("q")
            self.next = self._begin = n
        while self.next < n:
            self._keep(0)

    def _close_gap(self) -> list[Arrived]:
        first = min(self.ahead)
        self.skip_to(first)
        return self._apply(self.ahead.pop(first))

    def _copy(self, arrived: Arrived) -> None:
        n = arrived.event.n
        if n < self.first:  # its first sending is older than what is retained
            self.copies += 1
        elif n < self._begin or self.next - n > _REMEMBERED:
            self.copies += 1
            self.uncompared += 1
        else:
            self._compare(self._hashes[(n - self._begin) % _REMEMBERED], arrived)

    def _compare(self, known: int, arrived: Arrived) -> None:
        if known == arrived.hashed:
            self.copies += 1
        else:
            self.odd.differs(arrived)
