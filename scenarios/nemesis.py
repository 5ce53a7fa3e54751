"""The nemesis: carries out a plan, fault by fault, and keeps the receipts."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from scenarios.scenario import Plan, Step
from sim.faults import Receipt
from sim.moments import Waiting
from sim.process import Process
from sim.world import World


@dataclass(slots=True)
class Injection:
    """One step of the plan as it went: what was done, from when to when."""

    step: Step
    receipt: Receipt
    entered_ns: int | None = None
    left_ns: int | None = None
    context: AbstractContextManager[Receipt] | None = None
    waiting: Waiting | None = None


class Nemesis:
    """Starts every step of `plan` at its time or moment, and heals it."""

    def __init__(self, world: World, plan: Plan) -> None:
        self.world = world
        self.injections = [Injection(step, Receipt(step.fault.targets)) for step in plan]
        self.healed = False
        self._interruptions = 0  # torn writes that were noted already

    def unleash(self) -> None:
        """Count the plan's times from now."""
        for injection in self.injections:
            self.world.kernel.after(injection.step.at, self._due, injection)

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
            injection.waiting = self.world.moments.arm(injection.step.on, self._come(injection))

    def _come(self, injection: Injection) -> Callable[[Process], None]:
        def come(_: Process) -> None:
            if not self.healed:
                self._enter(injection)

        return come

    def _enter(self, injection: Injection) -> None:
        kernel = self.world.kernel
        injection.entered_ns = kernel.now
        kernel.trace.record("fault", repr(injection.step.fault))
        injection.context = injection.step.fault.injected(self.world)
        injection.receipt = injection.context.__enter__()
        self._note_torn_write(injection)
        kernel.after(injection.step.lasts, self._leave, injection)
        error = getattr(injection.step.fault, "error", None)
        if injection.step.on is not None and error is not None:
            raise error()

    def _note_torn_write(self, injection: Injection) -> None:
        """Say which bytes of a call were done when the fault came in the middle of it."""
        moment = injection.step.on
        disk = self.world.hosts[moment.process].disk if moment is not None else None
        if disk is None or len(disk.interrupted) == self._interruptions:
            return
        self._interruptions = len(disk.interrupted)
        torn = disk.interrupted[-1]
        injection.receipt.damage.append(torn)
        injection.receipt.say(
            "torn", f"{torn.path} offset {torn.offset}: {torn.done} of {torn.asked} bytes written"
        )

    def _leave(self, injection: Injection) -> None:
        context, injection.context = injection.context, None
        if context is not None:
            self.world.kernel.trace.record("heal", repr(injection.step.fault))
            context.__exit__(None, None, None)
            injection.left_ns = self.world.kernel.now
