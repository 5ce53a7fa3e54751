"""The nemesis: carries out a plan, fault by fault, and keeps the receipts."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from scenarios.scenario import Plan, Step
from sim.disk import Interrupted
from sim.faults import Fault, Receipt
from sim.moments import Moment


class Ground(Protocol):
    """What a plan is carried out on: a simulated world, or processes of this machine."""

    @property
    def now(self) -> int:
        """Nanoseconds since the start of the world."""

    def after(self, delay_ns: int, call: Callable[..., object], *args: object) -> object:
        """Have `call` called later."""

    def arm(self, step: Step, come: Callable[[], None]) -> None:
        """Have `come` called when the moment of `step` has come."""

    def inject(self, fault: Fault) -> AbstractContextManager[Receipt]:
        """Return what injects `fault` on entry and heals it on exit."""

    def torn(self, moment: Moment) -> Interrupted | None:
        """Return the write in whose middle `moment` came, once; None if it was no write."""

    def note(self, kind: str, text: str) -> None:
        """Record that a fault began (``fault``) or ended (``heal``)."""


@dataclass(slots=True)
class Injection:
    """One step of the plan as it went: what was done, from when to when."""

    step: Step
    receipt: Receipt
    entered_ns: int | None = None
    left_ns: int | None = None
    context: AbstractContextManager[Receipt] | None = None


class Nemesis:
    """Starts every step of `plan` at its time or moment, and heals it."""

    def __init__(self, ground: Ground, plan: Plan) -> None:
        self.ground = ground
        self.injections = [Injection(step, Receipt(step.fault.targets)) for step in plan]
        self.healed = False

    def unleash(self) -> None:
        """Count the plan's times from now."""
        for injection in self.injections:
            self.ground.after(injection.step.at, self._due, injection)

    def heal(self) -> None:
        """End every fault, and let no other begin."""
        self.healed = True
        for injection in self.injections:
            self._leave(injection)

    def _due(self, injection: Injection) -> None:
        if self.healed:
            return
        if injection.step.on is None:
            self._enter(injection)
        else:
            self.ground.arm(injection.step, self._come(injection))

    def _come(self, injection: Injection) -> Callable[[], None]:
        def come() -> None:
            if not self.healed:
                self._enter(injection)

        return come

    def _enter(self, injection: Injection) -> None:
        step, ground = injection.step, self.ground
        injection.entered_ns = ground.now
        ground.note("fault", repr(step.fault))
        injection.context = ground.inject(step.fault)
        injection.receipt = injection.context.__enter__()
        if step.on is not None:
            self._note_torn_write(injection, step.on)
        ground.after(step.lasts, self._leave, injection)

    def _note_torn_write(self, injection: Injection, moment: Moment) -> None:
        """Say which bytes of a call were done when the fault came in the middle of it."""
        torn = self.ground.torn(moment)
        if torn is None:
            return
        injection.receipt.damage.append(torn)
        injection.receipt.say(
            "torn", f"{torn.path} offset {torn.offset}: {torn.done} of {torn.asked} bytes written"
        )

    def _leave(self, injection: Injection) -> None:
        context, injection.context = injection.context, None
        if context is not None:
            self.ground.note("heal", repr(injection.step.fault))
            context.__exit__(None, None, None)
            injection.left_ns = self.ground.now
