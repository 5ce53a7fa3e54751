"""Faults: small frozen records. Entering `injected` does the harm, leaving it heals.

Every fault hands out a `Receipt` that says what it really did; one that bit nothing says so.
``repr(fault)`` is its source text.
"""

from sim.faults.base import Fault, Receipt
from sim.faults.brokers import ShrinkIsr, Throttle
from sim.faults.clocks import ClockDrift, ClockStep
from sim.faults.disks import BitRot, DiskError, DiskFull, SlowDisk
from sim.faults.links import Cut, Isolate, LoseRequest, LoseResponse, Lossy, SlowLink
from sim.faults.processes import Crash, Pause, PowerLoss
from sim.faults.records import AlterRecord, LoseRecord

__all__ = [
    "AlterRecord",
    "BitRot",
    "ClockDrift",
    "ClockStep",
    "Crash",
    "Cut",
    "DiskError",
    "DiskFull",
    "Fault",
    "Isolate",
    "LoseRecord",
    "LoseRequest",
    "LoseResponse",
    "Lossy",
    "Pause",
    "PowerLoss",
    "Receipt",
    "ShrinkIsr",
    "SlowDisk",
    "SlowLink",
    "Throttle",
]
