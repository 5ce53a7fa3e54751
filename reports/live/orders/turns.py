"""The turns of a sender's records: which one a program applies, which it drops.

Programs discard what comes before its turn and wait for it to be sent again
(`system.numbering`, `system.chain`), so that what counts is found by the same strictness.
"""

from array import array
from enum import Enum

_REMEMBERED = 1 << 16  # hashes of records a copy is compared with


class Turn(Enum):
    """What becomes of a record."""

    NOW = "applied"
    COPY = "a copy of one that was applied"
    OTHER = "another content under a number that was applied"
    BEYOND = "discarded: one before it is missing"


class Turns:
    """One sender's numbers; `next` 0: the first one tells."""

    __slots__ = ("_hashes", "copies", "first", "next")

    def __init__(self, next_: int = 1) -> None:
        self.next = self.first = next_
        self.copies = 0
        self._hashes = array("q")

    @property
    def last(self) -> int:
        """The last number applied."""
        return self.next - 1

    def take(self, number: int, hashed: int) -> Turn:
        """Judge the next record of the sender."""
        if not self.next:
            self.next = self.first = number
        if number > self.next:
            return Turn.BEYOND
        if number == self.next:
            self._keep(hashed)
            return Turn.NOW
        if not self._remembers(number) or self._hashes[self._place(number)] == hashed:
            self.copies += 1
            return Turn.COPY
        return Turn.OTHER

    def _keep(self, hashed: int) -> None:
        if len(self._hashes) < _REMEMBERED:
            self._hashes.append(hashed)
        else:
            self._hashes[self._place(self.next)] = hashed
        self.next += 1

    def _remembers(self, number: int) -> bool:
        return number >= max(self.first, self.next - len(self._hashes))

    def _place(self, number: int) -> int:
        return (number - self.first) % _REMEMBERED
