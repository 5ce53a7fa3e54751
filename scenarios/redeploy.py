"""Redeployments: an operator tells programs other settings and starts them anew, one by one."""

import re
import signal
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from sim.bounds import demand
from sim.doors.signals import deliver_signal
from sim.faults import Fault, Receipt
from sim.kernel import MILLISECOND
from sim.world import World
from system.formats import NEWEST, TRANSFERS

SETTINGS = "/etc/wavetank"

_LOOK = 50 * MILLISECOND
_FORMATS = re.compile(rb"(?<=\[formats\]\nversion = )\d+")


@dataclass(frozen=True, slots=True)
class Redeploy(Fault):
    """`programs` are told, one after the other, which format version is agreed on now.

    Each is asked to end (SIGTERM) and started again by its supervisor; the next one's turn comes
    when that has happened, however long it takes. It goes on to the last one even when healed.
    """

    programs: tuple[str, ...]
    formats: int

    def __post_init__(self) -> None:
        demand(self, TRANSFERS, NEWEST, "formats")
        if not self.programs:
            raise ValueError("programs=(): name one")

    @property
    def targets(self) -> tuple[str, ...]:
        """The programs."""
        return self.programs

    def told(self, text: bytes) -> bytes:
        """Return a program's settings as they are from now on."""
        assert _FORMATS.search(text), "the settings say nothing of formats"
        return _FORMATS.sub(b"%d" % self.formats, text)

    @contextmanager
    def injected(self, world: World) -> Generator[Receipt]:
        """Begin with the first program."""
        receipt = Receipt(self.targets)
        self._go_on(world, receipt, list(self.programs))
        yield receipt

    def _go_on(self, world: World, receipt: Receipt, left: list[str]) -> None:
        if not left:
            return
        name = left.pop(0)
        self._tell(world, name)
        receipt.bite("programs told")
        before = world.living(name)
        if before is not None:
            deliver_signal(before, signal.SIGTERM)

        def look() -> None:
            now = world.living(name)
            if now is None or now is before:
                world.kernel.after(_LOOK, look)
            else:
                self._go_on(world, receipt, left)

        world.kernel.after(_LOOK, look)

    def _tell(self, world: World, name: str) -> None:
        disk = world.hosts[name].disk
        assert disk is not None, f"{name} has no settings"
        for path, text in disk.cached_files(SETTINGS).items():
            disk.put(path, self.told(text))
        world.kernel.trace.record("redeploy", name, self.formats)
