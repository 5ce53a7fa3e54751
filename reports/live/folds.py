"""Folds: order-independent hashes, by which two sides are compared without being merged.

A fold is a sum of 64-bit hashes modulo 2^64. Sums do not depend on order, and a doubled or missing
part changes them (an exclusive or would not see a part that comes twice). The hash is Python's of
bytes, SipHash under a key of this process: fast, and worth nothing outside it.
"""

import struct
from collections.abc import Iterable

from reports.live.sources import Cells

MASK = 2**64 - 1
BLOCK = 4096  # numbers folded together; blocks that differ are read again in detail

_NUMBERS = struct.Struct("<8q").pack

Block = tuple[int, int]  # partition, number // BLOCK


def hash_cells(cells: Cells) -> int:
    """Return the hash of a ledger row, or of the row that an event asks for."""
    try:
        numbers = _NUMBERS(*cells[:7], cells[9])
    except struct.error:  # beyond 64 bits: no database holds it, so it will differ
        return hash(repr(cells).encode()) & MASK
    return hash(b"%b%b\0%b" % (numbers, cells[7].encode(), cells[8].encode())) & MASK


def hash_numbered(number: int, value: bytes) -> int:
    """Return the hash of a record at its place."""
    return hash(b"%d %b" % (number, value)) & MASK


class Blocks:
    """Folds of numbered records, one per partition and block of numbers."""

    __slots__ = ("folds",)

    def __init__(self) -> None:
        self.folds: dict[Block, int] = {}

    def add(self, partition: int, number: int, hashed: int) -> None:
        """Take in a record."""
        block = partition, number // BLOCK
        self.folds[block] = (self.folds.get(block, 0) + hashed) & MASK

    def differing(self, other: "Blocks", partitions: Iterable[int]) -> list[Block]:
        """Return the blocks of these partitions that the two sides do not agree on."""
        wanted = set(partitions)
        blocks = self.folds.keys() | other.folds.keys()
        return sorted(
            block
            for block in blocks
            if block[0] in wanted and self.folds.get(block, 0) != other.folds.get(block, 0)
        )
