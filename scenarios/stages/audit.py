"""The audit at the end: UBSCore dumps its balances, and recovers twice from the same log."""

from dataclasses import dataclass, field
from typing import Protocol

from reports.evidence import Commit, Dump, Restart


@dataclass(slots=True)
class Log:
    """What was noted while the run went on. All times in ns since the start of the world."""

    began_ns: int = 0
    healed_ns: int = 0
    quiescent_ns: int | None = None
    ended_ns: int = 0
    commits: list[Commit] = field(default_factory=list)
    dumps: list[Dump] = field(default_factory=list)
    restarts: list[Restart] = field(default_factory=list)


class Core(Protocol):
    """UBSCore, as somebody with its host's keys can handle it."""

    name: str
    shard: int

    @property
    def now(self) -> int:
        """Nanoseconds since the start of the world."""

    @property
    def incarnation(self) -> int | None:
        """Which incarnation lives; None if none does."""

    def dump(self) -> bytes | None:
        """Send SIGUSR1 and return the file it makes; None if the program does not answer."""

    def kill(self) -> None:
        """Kill it if it lives, for good."""

    def log(self) -> dict[str, bytes]:
        """Return the files of its log as processes see them now, by name."""

    def recover(self) -> bytes | None:
        """Start it, `told_to_dump`, and return that file; None if it does not become ready."""


def dump_and_recover_twice(core: Core, log: Log) -> None:
    """Have UBSCore dump its balances; then kill it twice, and see what each recovery makes."""
    incarnation = core.incarnation
    body = core.dump() if incarnation is not None else None
    if body is None or incarnation is None:
        return
    dumped = Dump(
        shard=core.shard, process=core.name, incarnation=incarnation, taken_ns=core.now, body=body
    )
    log.dumps.append(dumped)
    core.kill()  # before its log is read: it may still be writing
    found, begun = core.log(), core.now
    bodies: list[bytes] = []
    for _ in range(2):
        core.kill()
        body = core.recover()
        if body is None:
            return
        bodies.append(body)
    log.restarts.append(
        Restart(
            shard=core.shard,
            process=core.name,
            incarnation=core.incarnation or 0,
            started_ns=begun,
            log=found,
            dumps=tuple(bodies),
        )
    )


def told_to_dump(settings: bytes) -> bytes:
    """Return UBSCore's settings, told to dump its balances before it takes any input.

    Input may arrive after everything has settled: a gateway goes on sending what its client has
    given up. What a recovery makes of the log is seen only before that is decided.
    """
    told = b"[ubscore]\ndump_at_start = true\n"
    return settings if told in settings else settings.replace(b"[ubscore]\n", told)
