"""Inodes: a file's or directory's present state, its durable state, and what lies between.

A file has two contents: what programs see (`data`, the page cache over the drive) and what the
drive holds for certain (`durable`). `pending` is the way from the one to the other: writes and
changes of size in order, which syncing applies and a power loss may apply in part.
"""

from typing import Any

from sim.disk.profile import PAGE, SECTOR

Operation = tuple[int, bytes | int]  # (offset, bytes) is a write; (RESIZE, size) sets the size
RESIZE = -1


class Inode:
    """A file or, if `entries` is not None, a directory."""

    __slots__ = (
        "bad",
        "changed_ns",
        "data",
        "durable",
        "durable_entries",
        "entries",
        "failures",
        "failures_seen",
        "first",
        "links",
        "locks",
        "mode",
        "modified_ns",
        "number",
        "opens",
        "path",
        "pending",
        "stale",
        "undecided",
        "unit",
    )

    def __init__(self, number: int, path: str, mode: int, *, directory: bool) -> None:
        self.number = number
        self.path = path  # the last name given to it
        self.mode = mode
        self.links = 0
        self.opens = 0
        self.data = bytearray()
        self.durable = bytearray()
        self.pending: list[Operation] = []
        self.first = 0  # number of the first pending operation
        self.stale: set[int] = set()  # pages marked clean by a failed sync, though not durable
        self.failures = 0  # failed write-backs, as every open file reports them once
        self.failures_seen = True
        self.bad: set[int] = set()  # sectors that cannot be read
        self.undecided: dict[int, tuple[bytes, ...]] = {}  # sectors whose content nobody read yet
        self.unit = SECTOR  # bytes for each key of `undecided`
        self.entries: dict[str, Inode] | None = {} if directory else None
        self.durable_entries: dict[str, Inode] = {}
        self.modified_ns = 0
        self.changed_ns = 0
        self.locks: Any = None  # advisory locks; the door's business

    @property
    def end(self) -> int:
        """The number after that of the last pending operation."""
        return self.first + len(self.pending)

    def apply(self, count: int) -> None:
        """Make the first `count` pending operations durable."""
        durable = self.durable
        for offset, what in self.pending[:count]:
            if type(what) is bytes:
                end = offset + len(what)
                if offset > len(durable):
                    durable.extend(bytes(offset - len(durable)))
                durable[offset:end] = what
            else:
                resize(durable, what)  # type: ignore[arg-type]
        del self.pending[:count]
        self.first += count

    def touched_pages(self) -> list[int]:
        """Return the pages with un-synced data, in order."""
        pages: set[int] = set()
        for offset, what in self.pending:
            if isinstance(what, bytes):
                pages.update(range(offset // PAGE, (offset + len(what) - 1) // PAGE + 1))
        return sorted(pages)

    def copy(self) -> "Inode":
        """Return a copy whose directory entries still point to the originals."""
        twin = Inode(self.number, self.path, self.mode, directory=self.entries is not None)
        for name in (
            "links",
            "first",
            "failures",
            "failures_seen",
            "modified_ns",
            "changed_ns",
            "unit",
        ):
            setattr(twin, name, getattr(self, name))
        twin.data, twin.durable = bytearray(self.data), bytearray(self.durable)
        twin.pending = list(self.pending)
        twin.stale, twin.bad, twin.undecided = set(self.stale), set(self.bad), dict(self.undecided)
        twin.entries = None if self.entries is None else dict(self.entries)
        twin.durable_entries = dict(self.durable_entries)
        return twin


def resize(content: bytearray, size: int) -> None:
    """Cut `content` to `size`, or fill it up with zeros."""
    if size < len(content):
        del content[size:]
    else:
        content.extend(bytes(size - len(content)))
