"""Moments: the calls at which a fault waits, counted at the doors.

A moment is (process, door, glob of the subject, ordinal, part): the seventeenth append to the log
by ubscore, half done. Programs carry no hooks for it; doors ask only while somebody waits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sim.bounds import demand
from sim.kernel import Kernel, Killed
from sim.process import Process

_CALLS = "fsync link mkdir read rename rmdir truncate unlink write"
FILE_DOORS = frozenset({"open", *(f"os.{call}" for call in _CALLS.split())})
DOORS = FILE_DOORS | {
    *("cql.execute", "kafka.commit", "kafka.delivery", "kafka.poll", "kafka.produce")
}


@dataclass(frozen=True, slots=True)
class Moment:
    """The `ordinal`-th call (from 1) of `process` at `door` on a subject that matches `subject`.

    `part` says how much of the call is done before the fault comes. Calls are counted over all
    incarnations of the process, from when the moment is armed.
    """

    process: str
    door: str
    ordinal: int = 1
    part: float = 0.0
    subject: str = "*"

    def __post_init__(self) -> None:
        if self.door not in DOORS:
            raise ValueError(f"door={self.door!r}: there are {', '.join(sorted(DOORS))}")
        demand(self, 1, None, "ordinal")
        demand(self, 0, 1, "part")


class Waiting:
    """An armed moment: counts calls, and has its say once."""

    def __init__(self, moment: Moment, come: Callable[[Process], None]) -> None:
        self.moment = moment
        self.part = moment.part
        self.seen = 0
        self.came = False
        self._come = come
        self._process: Process | None = None

    def matches(self, process: Process, door: str, subject: str) -> bool:
        """Count this call if it is of the kind waited for; true if it is the one."""
        moment = self.moment
        if self.came or moment.process != process.name or moment.door != door:
            return False
        if not fnmatchcase(subject, moment.subject):
            return False
        self.seen += 1
        if self.seen != moment.ordinal:
            return False
        self.came = True
        self._process = process
        return True

    def hit(self) -> None:
        """Let the fault happen; raises `Killed` if the caller did not survive it."""
        assert self._process is not None
        self._come(self._process)
        if not self._process.alive:
            raise Killed


class MomentWatch:
    """Knows all moments that somebody waits for in one world."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.waiting: list[Waiting] = []

    def arm(self, moment: Moment, come: Callable[[Process], None]) -> Waiting:
        """Call `come` with the calling process when `moment` has come."""
        waiting = Waiting(moment, come)
        self.waiting.append(waiting)
        for process in self.kernel.processes:
            self.attend(process)
        return waiting

    def attend(self, process: Process) -> None:
        """Watch the calls of `process` if a moment waits for one of them."""
        if process.moments is None and any(
            waiting.moment.process == process.name for waiting in self.waiting
        ):
            process.moments = _Attention(self, process)


class _Attention:
    """The moments of one process, as its doors ask for them."""

    def __init__(self, watch: MomentWatch, process: Process) -> None:
        self._watch = watch
        self._process = process

    def strike(self, door: str, subject: str) -> Waiting | None:
        """Count a call for everyone who waits; return the one whose moment this is."""
        come = None
        for waiting in self._watch.waiting:
            if waiting.matches(self._process, door, subject) and come is None:
                come = waiting
        return come
