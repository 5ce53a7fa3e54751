"""The ground of a plan on the real stage: its times by the clock, its moments at the doors."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.scenario import Step
from scenarios.stages.real import counterparts
from scenarios.stages.real.doors import Doors
from sim.disk import Interrupted
from sim.doors.through.board import Cell
from sim.faults import Fault, Receipt
from sim.moments import Moment

if TYPE_CHECKING:
    from scenarios.stages.real.town import RealTown


@dataclass(frozen=True, slots=True)
class _Armed:
    doors: Doors
    rule: int
    come: Callable[[], None]


class RealGround:
    """Injects faults into a town; `tick` looks whether moments have come."""

    def __init__(self, town: "RealTown") -> None:
        self._town = town
        self._armed: list[_Armed] = []
        self.struck = 0  # the pid of the program at whose door the present harm is done

    @property
    def now(self) -> int:
        """Nanoseconds since the start."""
        return self._town.clock.now

    def after(self, delay_ns: int, call: Callable[..., object], *args: object) -> object:
        """Have `call` called later, by the time of the story."""
        self._town.story.after(delay_ns, call, *args)
        return None

    def arm(self, step: Step, come: Callable[[], None]) -> None:
        """Have `come` called when the moment of `step` has come."""
        assert step.on is not None
        doors = self._town.doors[step.on.process]
        rule = doors.rule(step)
        doors.arm(rule)
        self._armed.append(_Armed(doors, rule, come))

    def inject(self, fault: Fault) -> AbstractContextManager[Receipt]:
        """Return what does the harm on entry and heals it on exit."""
        return counterparts.injected(fault, self._town)

    def torn(self, moment: Moment) -> Interrupted | None:
        """Return the write in whose middle `moment` came, once."""
        return self._town.doors[moment.process].torn()

    def note(self, kind: str, text: str) -> None:
        """Add it to the run's own log."""
        self._town.note(kind, text)

    def tick(self) -> None:
        """Do the harm of every moment that has come, then let its program go on."""
        for armed in tuple(self._armed):
            board = armed.doors.board
            if board.get(armed.rule, Cell.CAME):
                self._armed.remove(armed)
                self.struck = board.get(armed.rule, Cell.CAME)
                armed.come()
                self.struck = 0
                board.put(armed.rule, Cell.GO, 1)

    def release(self) -> None:
        """Let no program wait at a door any more."""
        for armed in self._armed:
            armed.doors.board.put(armed.rule, Cell.GO, 1)
            armed.doors.board.put(armed.rule, Cell.ARMED, 0)
        self._armed.clear()
