"""``wavetank shrink``: the fewest faults with which a run breaks as it did."""

import signal
import sys
from types import FrameType, TracebackType
from typing import Self

import click

from reports.pages import text
from scenarios.commands import replaying, running
from scenarios.errors import UsageError
from scenarios.results import Result
from scenarios.scenario import Plan
from scenarios.shrink import Shrinking
from scenarios.stages import simulated

_INTERRUPTED = 130


def shrink(what: str, name: str | None, budget: int, runs: str, *, force: bool) -> int:
    """Shrink the plan of a broken run, keep the run with what is left; return the exit code."""
    wanted = replaying.asked(what, name, runs, force=force)
    scenario, seed = wanted.scenario, wanted.seed
    whole = simulated.run(scenario, seed, plan=wanted.plan)
    if whole.result.verdict != "broken":
        raise UsageError(
            f"{scenario.name}, seed {seed}, is {whole.result.verdict}: there is nothing to shrink"
        )
    broken = text.main_break(whole.judgement)
    looking = Looking(f"{broken.invariant} {broken.code}")

    def happens(plan: Plan) -> bool:
        return looking.seen(simulated.run_safely(scenario, seed, plan=plan), len(plan))

    with looking:
        shrinking = Shrinking(whole.plan, happens, budget, lambda: looking.interrupted)
        shrinking.go()
    click.echo(_told(shrinking, looking, len(whole.plan)))
    plan = None if shrinking.plan == scenario.plan_of(seed) else shrinking.plan
    made = simulated.run(scenario, seed, plan=plan, sampled=True)
    running.show(made.judgement, lambda: running.keep(made, runs))
    return _INTERRUPTED if looking.interrupted else running.code(made.result.verdict)


class Looking:
    """Looks for a break of one kind in many runs; Ctrl-C waits for the end of the one that goes on.

    A second Ctrl-C does not.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.interrupted = False
        self._runs = 0
        self._terminal = sys.stderr.isatty()

    def __enter__(self) -> Self:
        """Begin to listen for Ctrl-C."""
        self._before = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Leave the line of progress."""
        signal.signal(signal.SIGINT, self._before)
        if self._terminal:
            sys.stderr.write("\n")

    def seen(self, result: Result, steps: int) -> bool:
        """Whether the break is there in a run with so many `steps` of the plan."""
        there = self.kind in {f"{broken.invariant} {broken.code}" for broken in result.breaks}
        self._runs += 1
        if self._terminal:
            line = f"run {self._runs}: {counted(steps)}: {self.kind if there else 'not that'}"
            sys.stderr.write(f"\r{line:<70}")
            sys.stderr.flush()
        return there

    def _interrupt(self, _: int, __: FrameType | None) -> None:
        self.interrupted = True
        signal.signal(signal.SIGINT, self._before)


def counted(steps: int) -> str:
    """Say how many faults there are."""
    return f"{steps} fault{'' if steps == 1 else 's'}"


def _told(shrinking: Shrinking, looking: Looking, before: int) -> str:
    """Say what it came to, and whether fewer faults may do."""
    kind, left = looking.kind, len(shrinking.plan)
    runs = f"{shrinking.asked} run{'' if shrinking.asked == 1 else 's'}"
    if not shrinking.smallest:
        why = "interrupted" if looking.interrupted else "the budget is used up; --budget gives more"
        return (
            f"{kind}: {counted(before)} shrunk to {left} in {runs}, perhaps not the fewest: {why}\n"
        )
    if not left:
        return f"{kind} needs no fault: it is there without any of {before}, too ({runs})\n"
    needed = "it is needed" if left == 1 else "each of them is needed"
    return f"{kind}: {counted(before)} shrunk to {left} in {runs}; {needed}\n"
