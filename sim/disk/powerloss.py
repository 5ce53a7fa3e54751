"""Power loss: what remains of a disk whose page cache and drive cache are gone.

What was synced stays. Of the rest any part may have reached the drive: of each sector the
durable content or any later one, of the size any it had since, of the directory operations a
prefix or a subset, as the profile allows.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from sim.disk.chance import Chance
from sim.disk.compared import compared
from sim.disk.damage import FileDamage
from sim.disk.inode import Inode, resize
from sim.disk.names import Change, Names, apply
from sim.disk.profile import PAGE, SECTOR, Profile

_BOUNDARIES = 16  # sizes at page boundaries of one large write that are considered


def lose_names(
    names: Names, profile: Profile, chance: Chance
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Decide the fate of the journal and make the tree what remains: (undone, kept)."""
    journal, names.journal = [change for change in names.journal if change.steps], []
    if profile.ordered_journal:
        survivors = journal[: chance.pick(len(journal) + 1)]
    else:
        survivors = _subset(journal, profile, chance)
    for change in survivors:
        apply(change)
    undone = tuple(change.text for change in journal if _is_undone(change))
    _mount(names.root, "")
    return undone, tuple(change.text for change in survivors)


def _is_undone(change: Change) -> bool:
    """Whether a name that `change` touched is not what programs saw."""
    return any(
        (above.entries or {}).get(name) is not above.durable_entries.get(name)
        for above, name, _ in change.steps
    )


def _subset(journal: list[Change], profile: Profile, chance: Chance) -> list[Change]:
    """Choose survivors; what depends on a lost operation on the same name is lost with it."""
    survivors: list[Change] = []
    lost: set[tuple[Inode, str]] = set()
    for change in journal:
        keys = [(above, name) for above, name, _ in change.steps]
        depends = any(key in lost for key in keys)
        if depends or not chance.pick(2):
            lost.update(keys)
            continue
        if len(keys) > 1 and not profile.rename_atomic and not _moves_directory(change):
            change.steps = change.steps[: 1 + chance.pick(2)]  # both names, or the move is whole
            lost.update(keys[len(change.steps) :])
        survivors.append(change)
    return survivors


def _moves_directory(change: Change) -> bool:
    return any(inode is not None and inode.entries is not None for _, _, inode in change.steps)


def _mount(directory: Inode, prefix: str) -> None:
    """Forget every cached name: the durable ones are read again."""
    assert directory.entries is not None
    directory.entries = dict(directory.durable_entries)
    directory.links = 2
    for name, inode in directory.entries.items():
        inode.path = f"{prefix}/{name}"
        if inode.entries is not None:
            directory.links += 1
            _mount(inode, inode.path)


@dataclass(slots=True)
class _Fates:
    """What each sector (or larger atomic unit) of one file may hold."""

    unit: int
    base: bytearray
    scratch: bytearray
    versions: dict[int, list[tuple[int, bytes]]] = field(default_factory=dict)
    limit: int = 1 << 62  # bytes from here on went to blocks that a lost truncation never freed

    def write(self, number: int, offset: int, content: bytes) -> None:
        """Add a version to every unit that operation `number` touched."""
        content = content[: max(self.limit - offset, 0)]
        if not content:
            return
        end = offset + len(content)
        if offset > len(self.scratch):
            resize(self.scratch, offset)
        self.scratch[offset:end] = content
        for cell in range(offset // self.unit, (end - 1) // self.unit + 1):
            self.versions.setdefault(cell, []).append((number, self._cell(self.scratch, cell)))

    def resize(self, size: int, *, survives: bool) -> None:
        """Apply a truncation, or remember that it is lost."""
        if not survives:
            if size < len(self.scratch):
                self.limit = min(self.limit, size)
            return
        resize(self.base, min(size, len(self.base)))
        resize(self.scratch, size)
        last, cut = divmod(size, self.unit)
        for cell in [cell for cell in self.versions if cell > last or (cell == last and not cut)]:
            del self.versions[cell]
        if last in self.versions:
            blank = bytes(self.unit - cut)
            self.versions[last] = [(n, content[:cut] + blank) for n, content in self.versions[last]]

    def options(self, cell: int, at_least: int) -> list[bytes]:
        """Return what unit `cell` may hold, oldest first, from operation `at_least` on."""
        written = [content for number, content in self.versions[cell] if number >= at_least]
        return written if at_least >= 0 else [self._cell(self.base, cell), *written]

    def _cell(self, content: bytearray, cell: int) -> bytes:
        return bytes(content[cell * self.unit : (cell + 1) * self.unit]).ljust(self.unit, b"\0")


def lose_content(
    inode: Inode, profile: Profile, chance: Chance, *, lazy: bool
) -> FileDamage | None:
    """Replace the content of `inode` by what remains; None if it had nothing to lose."""
    before, pending, stale = inode.data, inode.pending, inode.stale
    if not pending and not stale:
        return None
    applied, size = _standing(inode.durable, pending, chance)
    unit = max(profile.atomic_unit, SECTOR)
    fates = _Fates(unit, bytearray(inode.durable), bytearray(inode.durable))
    for number, (offset, what) in enumerate(pending):
        if isinstance(what, bytes):
            fates.write(number, offset, what)
        else:
            fates.resize(what, survives=number < applied)
    image = fates.base
    resize(image, size)
    first = _First(inode.durable, applied, profile)
    undecided: dict[int, tuple[bytes, ...]] | None = {} if lazy else None
    torn = _settle(fates, image, first, chance, undecided)
    ranges = _touched(len(inode.durable), pending, stale)
    inode.first, inode.pending, inode.stale = inode.end, [], set()
    inode.durable, inode.data = image, bytearray(image)
    if undecided:
        inode.undecided.update(undecided)
        inode.unit = unit
    return compared(inode.path, before, image, ranges, torn, undecided or {}, unit)


@dataclass(slots=True, frozen=True)
class _First:
    """Which versions a profile that writes data before the size forbids."""

    durable: bytearray
    applied: int
    profile: Profile

    def least(self, start: int, versions: list[tuple[int, bytes]]) -> int:
        """Return the oldest operation whose data must be there; -1 if the old may be."""
        append, size = self.profile.append, len(self.durable)
        if append == "after-blocks":
            free = start < -(-size // PAGE) * PAGE  # the block existed before
        else:
            free = append != "after-data" or start + self.profile.atomic_unit <= size
        if free:
            return -1
        return max((number for number, _ in versions if number < self.applied), default=-1)

    def leaves_garbage(self, start: int) -> bool:
        """Whether the size may cover what lay on the drive before."""
        return self.profile.append == "garbage" and start >= len(self.durable)


def _standing(
    durable: bytearray, pending: list[tuple[int, bytes | int]], chance: Chance
) -> tuple[int, int]:
    """Choose where the metadata stands: (operations whose size counts, size)."""
    size = len(durable)
    points = [(0, size)]
    for number, (offset, what) in enumerate(pending, 1):
        if not isinstance(what, bytes):
            size = what
        elif offset + len(what) > size:
            end = offset + len(what)
            bounds = range((size // PAGE + 1) * PAGE, end, PAGE)
            points += [(number, bound) for bound in bounds[:_BOUNDARIES]]
            size = end
        else:
            continue
        points.append((number, size))
    return points[chance.pick(len(points))]


def _settle(
    fates: _Fates,
    image: bytearray,
    first: _First,
    chance: Chance,
    undecided: dict[int, tuple[bytes, ...]] | None,
) -> int:
    """Choose the content of every unit that was written; return how many are torn."""
    torn = 0
    for cell in sorted(fates.versions):
        start = cell * fates.unit
        if start >= len(image):
            continue
        options = fates.options(cell, first.least(start, fates.versions[cell]))
        if first.leaves_garbage(start):
            options.insert(1, chance.garbage(fates.unit))
        whole = options
        if first.profile.atomic_unit < SECTOR:
            options = list(_with_tears(options, first.profile.atomic_unit))
        if undecided is not None and len(options) > 1:
            undecided[cell] = tuple(options)
            continue
        choice = options[chance.pick(len(options))]
        torn += choice not in whole
        image[start : start + fates.unit] = choice[: len(image) - start]
    return torn


def _with_tears(options: list[bytes], unit: int) -> Iterator[bytes]:
    """Yield the options, and between each two what a sector torn while it is written may hold."""
    yield options[0]
    for old, new in pairwise(options):
        half = len(new) // 2
        yield new[:unit] + old[unit:]
        yield old[:half] + new[half:]
        yield new[:half] + old[half:]
        yield new


def _touched(
    size: int, pending: list[tuple[int, bytes | int]], stale: set[int]
) -> list[tuple[int, int]]:
    """Return the un-synced ranges (start, end), sorted and without overlap.

    What lies between the end of a file and a write or truncation beyond it is one of them: the
    hole reads as zeros, and may read as anything when the size outlives the rest.
    """
    ranges = [(page * PAGE, (page + 1) * PAGE) for page in stale]
    for offset, what in pending:
        if not isinstance(what, bytes):
            ranges.append((size, what))  # empty if it cuts
            size = what
        elif what:
            ranges.append((min(size, offset), offset + len(what)))
            size = max(size, offset + len(what))
    ranges = [(start, end) for start, end in ranges if start < end]
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
