"""Harm to disks: errors, no space and slowness at doors, and bits that flip in files."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scenarios.stages.real.counterpart import Counterparts, door
from sim.faults import BitRot, DiskError, DiskFull, Fault, Receipt, SlowDisk
from sim.faults.disks import CONTEXT, Rot

if TYPE_CHECKING:
    from scenarios.stages.real.town import RealTown


@contextmanager
def disk_error(fault: DiskError, town: "RealTown") -> Generator[Receipt]:
    """Let calls fail until the times are used up or the block ends."""
    with _ruled(fault, town, "calls failed", times=fault.times) as receipt:
        yield receipt


@contextmanager
def disk_full(fault: DiskFull, town: "RealTown") -> Generator[Receipt]:
    """Let files neither grow nor be made."""
    with _ruled(fault, town, "calls without space") as receipt:
        yield receipt


@contextmanager
def slow_disk(fault: SlowDisk, town: "RealTown") -> Generator[Receipt]:
    """Let every sync take longer."""
    with _ruled(fault, town, "slow syncs") as receipt:
        yield receipt


@contextmanager
def _ruled(fault: Fault, town: "RealTown", effect: str, *, times: int = 0) -> Generator[Receipt]:
    receipt = Receipt(fault.targets)
    doors = town.doors[fault.targets[0]]
    rule = doors.rule(fault)
    before = doors.disarm(rule)
    doors.arm(rule, times=times)
    try:
        yield receipt
    finally:
        bites = doors.disarm(rule) - before
        if bites:
            receipt.bite(effect, bites)


@contextmanager
def bit_rot(fault: BitRot, town: "RealTown") -> Generator[Receipt]:
    """Flip a bit of the oldest file that matches; nothing heals it."""
    receipt = Receipt(fault.targets)
    called = town.deployment.data(fault.host)
    prefix = town.site.real_path(fault.host, fault.path, called)
    matching = sorted(prefix.parent.glob(f"{prefix.name}*")) if prefix.parent.is_dir() else []
    if matching and fault.offset < matching[0].stat().st_size:
        was = matching[0].read_bytes()
        now = bytes((was[fault.offset] ^ 1 << fault.bit,))
        with open(matching[0], "r+b") as file:
            file.seek(fault.offset)
            file.write(now)
            file.flush()
            os.fsync(file.fileno())
        where = f"{fault.path.rpartition('/')[0]}/{matching[0].name}"
        before = was[max(fault.offset - CONTEXT, 0) : fault.offset]
        receipt.bite("bits flipped")
        receipt.damage.append(
            Rot(where, fault.offset, before, was[fault.offset : fault.offset + 1], now)
        )
        receipt.say("where", f"{where} offset {fault.offset}")
    yield receipt


COUNTERPARTS: Counterparts = {
    DiskError: door("a door returns the error number", disk_error),
    DiskFull: door("a door returns ENOSPC", disk_full),
    SlowDisk: door("a door waits before each sync", slow_disk),
    BitRot: door("a bit of the file is flipped", bit_rot),
}
