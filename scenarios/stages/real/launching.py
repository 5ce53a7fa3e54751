"""Launching programs as a deployment does: ``python -m system ROLE --config FILE``, and no more.

A program that a control replaces is launched by `scenarios.program`; doors go around a program
only if its plan has rules for them. A launched process dies with us, however we die.
"""

import sys
from pathlib import Path

from scenarios.backends.processes import Child
from scenarios.stages.real.clock import Clock
from scenarios.stages.real.doors import Doors
from scenarios.stages.real.process import Program, in_environment
from scenarios.stages.real.site import Site

_ROOT = Path(__file__).parents[3]


class Launcher:
    """Starts incarnations of the programs of one site; `replaced` maps roles to other classes."""

    def __init__(self, site: Site, replaced: dict[str, str], clock: Clock) -> None:
        self.site = site
        self.doors: dict[str, Doors] = {}
        self.programs: list[Program] = []
        self._replaced = replaced
        self._clock = clock
        self._incarnations: dict[str, int] = {}

    def once(self, name: str, role: str) -> tuple[Child, Path]:
        """Start a program that ends by itself, without doors; return it and its log."""
        log = self.site.home(name) / f"{role}.log"
        command = self._command(name, role, ())
        return Child(in_environment(_ROOT, command), self.site.root, log), log

    def start(self, name: str, role: str) -> Program:
        """Start the next incarnation of a program."""
        number = self._incarnations[name] = self._incarnations.get(name, 0) + 1
        log = self.site.stderr(name, number)
        log.touch()
        watched = self.doors.get(name)
        around = ("sim.doors.through", str(watched.path)) if watched is not None else ()
        command = in_environment(_ROOT, self._command(name, role, around))
        child = Child(command, self.site.home(name), log)
        program = Program(name, number, child, log, self._clock.now)
        self.programs.append(program)
        return program

    def _command(self, name: str, role: str, around: tuple[str, ...]) -> tuple[str, ...]:
        planted = self._replaced.get(role)
        program = ("system", role) if planted is None else ("scenarios.program", planted)
        config = ("--config", str(self.site.config(name)))
        return (sys.executable, "-m", *around, *program, *config)
