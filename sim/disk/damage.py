"""Damage: what a power loss destroyed, in numbers and in words."""

from dataclasses import dataclass

BYTES_KEPT = 2048  # of what was destroyed, for reports


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDamage:
    """What happened to one file that held un-synced data.

    Sectors are `lost` if they do not hold what was last written; `torn` ones mix old and new.
    `zeros` counts bytes that the size covers though their data did not arrive. `wanted` and
    `left` are what programs saw and what remains, from `offset`, the first byte that differs, to
    the last that does; of long stretches the beginning.
    """

    path: str
    unsynced_bytes: int
    bytes_lost: int
    sectors_kept: int
    sectors_lost: int
    sectors_torn: int
    sectors_undecided: int
    zeros: int
    size_before: int
    size_after: int
    offset: int = 0
    wanted: bytes = b""
    left: bytes = b""

    @property
    def torn(self) -> bool:
        """Whether some of the un-synced data survived and some did not."""
        return 0 < self.bytes_lost < self.unsynced_bytes

    def __str__(self) -> str:
        """Say it in words."""
        kept = self.unsynced_bytes - self.bytes_lost
        text = (
            f"{self.path}: {self.bytes_lost} of {self.unsynced_bytes} un-synced bytes lost"
            f" ({self.sectors_lost} sectors lost, {self.sectors_kept} kept"
        )
        if self.sectors_torn:
            text += f", {self.sectors_torn} torn"
        if self.sectors_undecided:
            text += f", {self.sectors_undecided} not decided before they are read"
        if self.size_after != self.size_before:
            text += f"; size {self.size_before} -> {self.size_after}"
        if self.zeros:
            text += f"; {self.zeros} bytes hold zeros or garbage"
        return text + (f"; torn: {kept} bytes survived)" if self.torn else ")")


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What one power loss did to one disk. `undone` names directory operations that are lost."""

    files: tuple[FileDamage, ...] = ()
    undone: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()  # directory operations that survived without a sync

    @property
    def bytes_lost(self) -> int:
        """How many un-synced bytes are gone."""
        return sum(file.bytes_lost for file in self.files)

    @property
    def bites(self) -> int:
        """How many files and names were harmed; 0 if everything that mattered was synced."""
        harmed = sum(1 for file in self.files if file.bytes_lost or file.zeros)
        return harmed + len(self.undone)

    def lines(self) -> list[str]:
        """Say it in words, a line for each file and name."""
        return [str(file) for file in self.files] + [f"undone: {name}" for name in self.undone]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted:
    """A call that a fault cut short: `done` of `asked` bytes reached the page cache.

    `content` is what should have been written; of long writes the beginning.
    """

    path: str
    call: str
    offset: int
    done: int
    asked: int
    content: bytes = b""
