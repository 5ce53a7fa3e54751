"""The time of a story on the real stage: it stands still while a program or a server boots.

In a simulated world a program that is started again works at once. Here it first loads Python and
its libraries, for as long as the machine is busy with other things; load and harm wait for that, or
what they meet would depend on it. A program boots until its first line says that it starts, a
server until it serves. What a program does from then on is part of the story.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from scenarios.stages.real.clock import Agenda, Clock

if TYPE_CHECKING:
    from scenarios.stages.real.town import RealTown

_BOOT_NS_MAX = 30 * 10**9  # what takes longer is trouble of its own
_SHORTEST_NS = 5 * 10**6  # of a sleep: many clients wait


class Story:
    """Counts the time in which nothing boots; `tick` calls what is due by it."""

    def __init__(self, clock: Clock, boots: Callable[[], bool]) -> None:
        self.now = 0
        self._clock = clock
        self._boots = boots
        self._seen_ns = clock.now
        self._later = Agenda()

    def after(self, delay_ns: int, call: Callable[..., object], *args: object) -> None:
        """Have `call` called by `tick`, not before `delay_ns` of the story have passed."""
        self._later.add(self.now + delay_ns, call, *args)

    def tick(self) -> None:
        """Go on unless something boots, and call everything that is due."""
        seen_ns, self._seen_ns = self._seen_ns, self._clock.now
        if not self._boots():
            self.now += self._seen_ns - seen_ns
        self._later.call_due(lambda: self.now)

    def until(self, ns: int) -> None:
        """Let time pass until the story has come so far; `tick` is called by somebody else."""
        while (left := ns - self.now) > 0:
            self._clock.sleep(max(left, _SHORTEST_NS))


def boots(town: "RealTown") -> bool:
    """Whether a program or a server still loads, and has not done so for too long."""
    since_ns = town.clock.now - _BOOT_NS_MAX
    return town.servers.boot(_BOOT_NS_MAX) or any(
        program.boots and program.started_at > since_ns
        for name in town.supervisor.watched
        if (program := town.living(name)) is not None
    )
