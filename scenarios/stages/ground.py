"""The ground of a plan in a simulated world."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from scenarios.scenario import Step
from sim.disk import Interrupted
from sim.faults import Fault, Receipt
from sim.moments import Moment
from sim.world import World


class SimulatedGround:
    """Injects faults into `world`, at its times and moments."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._interruptions: dict[str, int] = {}  # torn writes told already, by host

    @property
    def now(self) -> int:
        """Nanoseconds since the start of the world."""
        return self.world.kernel.now

    def after(self, delay_ns: int, call: Callable[..., object], *args: object) -> object:
        """Have `call` called later."""
        return self.world.kernel.after(delay_ns, call, *args)

    def arm(self, step: Step, come: Callable[[], None]) -> None:
        """Have `come` called when the moment of `step` has come."""
        assert step.on is not None
        self.world.moments.arm(step.on, lambda _: come())

    def inject(self, fault: Fault) -> AbstractContextManager[Receipt]:
        """Return what injects `fault` on entry and heals it on exit."""
        return fault.injected(self.world)

    def torn(self, moment: Moment) -> Interrupted | None:
        """Return the write in whose middle `moment` came, once."""
        disk = self.world.hosts[moment.process].disk
        known = self._interruptions.get(moment.process, 0)
        if disk is None or len(disk.interrupted) == known:
            return None
        self._interruptions[moment.process] = len(disk.interrupted)
        return disk.interrupted[-1]

    def note(self, kind: str, text: str) -> None:
        """Record it in the trace."""
        self.world.kernel.trace.record(kind, text)
