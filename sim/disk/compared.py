"""What programs saw of a file beside what a power loss has left of it: the damage, counted."""

from collections.abc import Collection
from dataclasses import dataclass

from sim.disk.damage import BYTES_KEPT, FileDamage
from sim.disk.profile import SECTOR


@dataclass(slots=True)
class _Counts:
    """The sectors and bytes counted so far; `first` and `last` bound those that differ."""

    first: int
    last: int = 0
    unsynced: int = 0
    lost: int = 0
    differing: int = 0
    kept_sectors: int = 0
    lost_sectors: int = 0

    def lose(self, at: int, old: bytearray, new: bytearray) -> None:
        """Count the part of a sector at `at` that is not what it was."""
        self.lost_sectors += 1
        differing = sum(a != b for a, b in zip(old, new, strict=False))
        self.lost += differing + len(old) - len(new)
        self.differing += differing
        self.first = min(self.first, at + _first_difference(old, new))
        self.last = at + len(old)


def compared(
    path: str,
    before: bytearray,
    image: bytearray,
    ranges: list[tuple[int, int]],
    torn: int,
    undecided: Collection[int],
    unit: int,
) -> FileDamage:
    """Return the damage in the un-synced `ranges` of a file that was `before` and is `image` now.

    `undecided` are the units (of `unit` bytes) whose fate is decided when they are read.
    """
    counts = _Counts(first=len(before))
    for start, stop in ranges:
        end = min(stop, len(before))
        counts.unsynced += max(end - start, 0)
        for at in range(start - start % SECTOR, end, SECTOR):
            low, high = max(at, start), min(at + SECTOR, end)
            old, new = before[low:high], image[low:high]
            if old == new or at // unit in undecided:
                counts.kept_sectors += 1
            else:
                counts.lose(low, old, new)
    first = min(counts.first, len(image))  # a hole before the first lost byte may be gone as well
    stretch = slice(first, min(counts.last, first + BYTES_KEPT))
    return FileDamage(
        path=path,
        unsynced_bytes=counts.unsynced,
        bytes_lost=counts.lost,
        sectors_kept=counts.kept_sectors,
        sectors_lost=counts.lost_sectors,
        sectors_torn=torn,
        sectors_undecided=len(undecided),
        zeros=counts.differing,
        size_before=len(before),
        size_after=len(image),
        offset=first,
        wanted=bytes(before[stretch]),
        left=bytes(image[stretch]),
    )


def _first_difference(old: bytearray, new: bytearray) -> int:
    same = min(len(old), len(new))
    return next((i for i in range(same) if old[i] != new[i]), same)
