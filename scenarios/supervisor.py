"""The supervisor: starts the deployment's programs, and starts them again when they end.

It is what systemd or Kubernetes is elsewhere: it knows exit codes, waits a little longer each
time, and leaves a program that halted to a person.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from reports.evidence import ProcessEvent
from scenarios.deployment import Restarts

_HEALTHY_NS = 10 * 10**9  # after so long a program is trusted again


class Timers(Protocol):
    """The time of a stage, and what is to happen in it later."""

    @property
    def now(self) -> int:
        """Nanoseconds since the start of the world."""

    def after(self, delay_ns: int, call: Callable[..., object], *args: object) -> object:
        """Have `call` called later."""


class Host(Protocol):
    """Where a program runs."""

    @property
    def powered(self) -> bool:
        """Whether anything can be started there."""


class Process(Protocol):
    """One incarnation of a program, simulated or real."""

    @property
    def name(self) -> str:
        """Which program it is."""

    @property
    def incarnation(self) -> int:
        """Its number, from 1."""

    @property
    def started_at(self) -> int:
        """When it was started."""

    @property
    def stderr(self) -> list[str]:
        """What it wrote to standard error so far."""

    @property
    def on_death(self) -> list[Callable[[], None]]:
        """What is called when it ends."""

    @property
    def alive(self) -> bool:
        """Whether it runs."""

    @property
    def exit_code(self) -> int | None:
        """How it ended: negative for a signal; None while it runs."""


@dataclass(slots=True)
class Watched:
    """A program under supervision."""

    name: str
    host: Host
    start: Callable[[], Process]
    delay_ns: int
    process: Process | None = None
    halted: bool = False
    stopping: bool = False


@dataclass(slots=True)
class Supervisor:
    """Keeps programs running until told to stop."""

    timers: Timers
    restarts: Restarts
    watched: dict[str, Watched] = field(default_factory=dict)
    events: list[ProcessEvent] = field(default_factory=list)

    def run(self, name: str, host: Host, start: Callable[[], Process]) -> None:
        """Start a program and keep it running; `start` launches one incarnation."""
        watched = Watched(name, host, start, self.restarts.delay_ns)
        self.watched[name] = watched
        self._start(watched)

    def release(self, name: str) -> None:
        """Let the program end without starting it again."""
        self.watched[name].stopping = True

    def resume(self, name: str) -> Process:
        """Start a released program once more."""
        watched = self.watched[name]
        watched.stopping = False
        self._start(watched)
        assert watched.process is not None
        return watched.process

    @property
    def all_up(self) -> bool:
        """Whether every program runs, apart from those that halted."""
        return all(
            watched.halted or (watched.process is not None and watched.process.alive)
            for watched in self.watched.values()
        )

    @property
    def halted(self) -> list[str]:
        """The programs that wait for a person."""
        return [name for name, watched in self.watched.items() if watched.halted]

    def say(self, process: Process, kind: str, **more: object) -> None:
        """Add an event of `process` to the evidence."""
        event = {"process": process.name, "incarnation": process.incarnation, "kind": kind}
        self.events.append(ProcessEvent(at_ns=self.timers.now, **event, **more))  # type: ignore[arg-type]

    def _start(self, watched: Watched) -> None:
        if watched.stopping:
            return
        if not watched.host.powered:
            self.timers.after(watched.delay_ns, self._start, watched)
            return
        watched.process = process = watched.start()
        self.say(process, "started")
        process.on_death.append(lambda: self._ended(watched, process))

    def _ended(self, watched: Watched, process: Process) -> None:
        code = process.exit_code
        reason, detail = last_words(process)
        if not watched.host.powered:
            self.say(process, "power_lost", code=code)
        elif code == -9:
            self.say(process, "crashed", code=code)
        elif code in self.restarts.halts:
            self.say(process, "halted", code=code, reason=reason, detail=detail)
            self._look_after(watched)
            return
        else:
            self.say(process, "exited", code=code, reason=reason, detail=detail)
        if watched.stopping:
            return
        if self.timers.now - process.started_at > _HEALTHY_NS:
            watched.delay_ns = self.restarts.delay_ns
        self.timers.after(watched.delay_ns, self._start, watched)
        watched.delay_ns = min(2 * watched.delay_ns, self.restarts.delay_ns_max)

    def _look_after(self, watched: Watched) -> None:
        """Leave a halted program to an operator, who may start it again."""
        if self.restarts.operator_ns and not watched.stopping:
            self.timers.after(self.restarts.operator_ns, self._start, watched)
        else:
            watched.halted = True


def last_words(process: Process) -> tuple[str, str]:
    """Return the reason and detail of the last ``stopped`` line that the program logged."""
    for text in reversed("\n".join(process.stderr).splitlines()):
        if '"stopped"' in text or '"defect"' in text:
            try:
                line = json.loads(text)
            except ValueError:
                continue
            detail = line.get("detail") or line.get("traceback", "")
            return str(line.get("reason", line.get("event"))), str(detail)
    return "", "\n".join(process.stderr)[-300:]
