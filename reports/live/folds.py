"""Folds: order-independent hashes, by which two sides are compared without being merged.

A fold is a sum of 64-bit hashes modulo 2^64. Sums do not depend on order, and a doubled or missing
part changes them (an exclusive or would not see a part that comes twice). The hash is Python's of
bytes, SipHash under a key of this process: fast, and worth nothing outside it.
"""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import msgspec

from reports.live.sources import Cells

MASK = 2**64 - 1
BLOCK = 4096  # numbers folded together; blocks that differ are read again in detail
AT_ONCE = 32 * BLOCK  # records read again in one pass: what is kept of one side fits in memory
_PASSES = 4

_encode = msgspec.msgpack.Encoder().encode

L = TypeVar("L", int, tuple[int, int])  # whose numbers: a partition, a sender in it, an account
B = TypeVar("B")


def hash_tuple(content: tuple[object, ...]) -> int:
    """Return the hash of integers and texts; not of the tuple, which takes -1 and -2 for one."""
    try:
        return hash(_encode(content)) & MASK
    except OverflowError:  # beyond 64 bits: no database holds it, so it will differ
        return hash(repr(content).encode()) & MASK


def hash_cells(cells: Cells) -> int:
    """Return the hash of a ledger row, or of the row that an event asks for."""
    return hash_tuple(cells)


def hash_numbered(number: int, hashed: int) -> int:
    """Return the hash of a record, given by its bytes' own, at its place."""
    return hash((number, hashed)) & MASK


class Blocks(Generic[L]):
    """Folds of numbered records, one per lane and block of numbers."""

    __slots__ = ("folds",)

    def __init__(self) -> None:
        self.folds: dict[tuple[L, int], int] = {}

    def add(self, lane: L, number: int, hashed: int) -> None:
        """Take in a record."""
        block = lane, number // BLOCK
        self.folds[block] = (self.folds.get(block, 0) + hashed) & MASK

    def differing(self, other: "Blocks[L]", lanes: Iterable[L]) -> list[tuple[L, int]]:
        """Return the blocks of these lanes that the two sides do not agree on."""
        wanted = set(lanes)
        blocks = self.folds.keys() | other.folds.keys()
        return sorted(
            block
            for block in blocks
            if block[0] in wanted and self.folds.get(block, 0) != other.folds.get(block, 0)
        )


def batches(
    blocks: Iterable[B], size: Callable[[B], int] = lambda _: BLOCK
) -> tuple[list[set[B]], int]:
    """Split blocks into sets that fit in memory; return also how many are not read again.

    >>> batches([1, 2, 3], lambda block: AT_ONCE // 2)
    ([{1, 2}, {3}], 0)
    """
    found: list[set[B]] = []
    room = unread = 0
    for block in blocks:
        needed = size(block)
        if needed > room or not found:
            if len(found) == _PASSES:
                unread, room = unread + 1, 0
                continue
            found.append(set())
            room = AT_ONCE
        found[-1].add(block)
        room -= needed
    return found, unread
