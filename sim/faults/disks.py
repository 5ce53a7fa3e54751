"""Faults of disks: errors, no space, slowness, bits that flip."""

import errno
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from sim.bounds import demand
from sim.disk import Disk
from sim.faults.base import HostFault, Receipt
from sim.kernel import MILLISECOND
from sim.moments import FILE_DOORS
from sim.world import World


@dataclass(frozen=True, slots=True)
class DiskError(HostFault):
    """The next `times` calls at `door` (``os.fsync`` ...) on `path` fail with `error` (``EIO``)."""

    door: str
    error: str
    times: int = 1
    path: str = "*"

    def __post_init__(self) -> None:
        if self.door not in FILE_DOORS:
            raise ValueError(f"door={self.door!r}: there are {', '.join(sorted(FILE_DOORS))}")
        if self.error not in errno.errorcode.values():
            raise ValueError(f"{self.error} is no errno")
        demand(self, 1, 10**9, "times")

    @property
    def kind(self) -> str:
        """Counted per kind of call."""
        return f"DiskError({self.door})"

    @contextmanager
    def injected(self, world: World) -> Generator[Receipt]:
        """Let calls fail until the times are used up or the block ends."""
        receipt = Receipt(self.targets)
        disk = _disk(world, self.host)
        rule = disk.inject(self.door, getattr(errno, self.error), self.path, times=self.times)
        try:
            yield receipt
        finally:
            disk.heal(rule)
            if rule.bites:
                receipt.bite("calls failed", rule.bites)


@dataclass(frozen=True, slots=True)
class DiskFull(HostFault):
    """No space is left on the disk of `host`: files cannot grow, and none can be made."""

    @contextmanager
    def injected(self, world: World) -> Generator[Receipt]:
        """Take the free space; on exit give it back."""
        receipt = Receipt(self.targets)
        disk = _disk(world, self.host)
        taken, refused = disk.capacity - disk.used, disk.refused
        disk.capacity -= taken
        try:
            yield receipt
        finally:
            disk.capacity += taken
            if disk.refused > refused:
                receipt.bite("calls without space", disk.refused - refused)


@dataclass(frozen=True, slots=True)
class SlowDisk(HostFault):
    """Every sync on `host` that begins meanwhile takes `by_ms` longer, 30 s at most.

    It does so beyond the end of the fault, too: a longer one would be the deployment's end.
    """

    by_ms: int

    def __post_init__(self) -> None:
        demand(self, 0, 30_000, "by_ms")

    @contextmanager
    def injected(self, world: World) -> Generator[Receipt]:
        """Slow syncs down for as long as the block lasts."""
        receipt = Receipt(self.targets)
        disk = _disk(world, self.host)
        slowed = disk.slowed
        disk.slow_ns += self.by_ms * MILLISECOND
        try:
            yield receipt
        finally:
            disk.slow_ns -= self.by_ms * MILLISECOND
            if disk.slowed > slowed:
                receipt.bite("slow syncs", disk.slowed - slowed)


CONTEXT = 16  # bytes before a flipped bit that its receipt shows


@dataclass(frozen=True, slots=True)
class Rot:
    """What a `BitRot` did, for its receipt."""

    path: str
    offset: int
    before: bytes  # what stands before it
    was: bytes
    now: bytes


@dataclass(frozen=True, slots=True)
class BitRot(HostFault):
    """One bit of the oldest file that matches `path` flips on the drive, for good."""

    path: str
    offset: int
    bit: int = 0

    def __post_init__(self) -> None:
        demand(self, 0, None, "offset")
        demand(self, 0, 7, "bit")

    @contextmanager
    def injected(self, world: World) -> Generator[Receipt]:
        """Flip the bit; nothing heals it."""
        receipt = Receipt(self.targets)
        disk = _disk(world, self.host)
        files = disk.cached_files(self.path.rpartition("/")[0])
        matching = sorted(path for path in files if path.startswith(self.path))
        if matching and self.offset < len(files[matching[0]]):
            disk.rot(matching[0], self.offset, self.bit)
            receipt.bite("bits flipped")
            here = slice(self.offset, self.offset + 1)
            was, now = files[matching[0]], disk.cached(matching[0]) or b""
            before = was[max(self.offset - CONTEXT, 0) : self.offset]
            receipt.damage.append(Rot(matching[0], self.offset, before, was[here], now[here]))
            receipt.say("where", f"{matching[0]} offset {self.offset}")
        yield receipt


def _disk(world: World, host: str) -> Disk:
    disk = world.hosts[host].disk
    assert disk is not None, f"{host} has no disk"
    return disk
