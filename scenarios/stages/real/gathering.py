"""Gathering evidence on the real stage, when every program has stopped: topics, log, tables."""

import signal
from collections.abc import Callable
from typing import Any

from reports.evidence import About, Evidence, FaultReceipt, LogImage, LogLine, TopicRecord
from scenarios.errors import Infrastructure
from scenarios.nemesis import Nemesis
from scenarios.stages.audit import Log, told_to_dump
from scenarios.stages.real.process import Program
from scenarios.stages.real.tables import Tables
from scenarios.stages.real.topics import Topics
from scenarios.stages.real.town import RealTown
from scenarios.stages.receipts import logged_ns, owed, read_line, receipts, with_ready
from scenarios.stages.told import promises
from scenarios.token import Token

_READ_S = 60.0
_DUMP_NS = 30 * 10**9
UNOBSERVED = (
    "when a row became durable (I12 and I14 judge by what is there in the end)",
    "commits that were overtaken within a tenth of a second",
    "what a power loss would leave of the log (its files are read as they are)",
)


class RealCore:
    """UBSCore as a process, as the audit handles it."""

    def __init__(self, town: RealTown, shard: int) -> None:
        self.town = town
        self.shard = shard
        self.name = town.deployment.cores[shard - 1]
        self._path = town.site.data(self.name) / "balances.json"

    @property
    def now(self) -> int:
        """Nanoseconds since the start."""
        return self.town.clock.now

    @property
    def incarnation(self) -> int | None:
        """Which incarnation lives."""
        program = self.town.living(self.name)
        return None if program is None else program.incarnation

    def log(self) -> dict[str, bytes]:
        """Return the files of its log as they are now, by name."""
        return self.town.site.log_files(self.name)

    def kill(self) -> None:
        """Kill it if it lives, for good."""
        self.town.supervisor.release(self.name)
        self.town.kill(self.name)

    def recover(self) -> bytes | None:
        """Start it, told to dump, and return that file; None if it does not become ready."""
        settings = self.town.site.config(self.name).read_bytes()
        self.town.site.write_config(self.name, told_to_dump(settings).decode())
        self.town.supervisor.resume(self.name)
        program = self.town.living(self.name)
        if program is None or not self._until(program, lambda: program.said("ready") > 0):
            return None
        return self._path.read_bytes() if program.said("dumped") else None

    def dump(self) -> bytes | None:
        """Send SIGUSR1 and return the file it makes; None if the program does not answer."""
        program = self.town.living(self.name)
        if program is None or not self._until(program, lambda: program.said("ready") > 0):
            return None
        said = program.said("dumped")
        program.send(signal.SIGUSR1)
        if not self._until(program, lambda: program.said("dumped") > said):
            return None
        return self._path.read_bytes()

    def _until(self, program: Program, done: Callable[[], bool]) -> bool:
        self.town.run_until(lambda: not program.alive or done(), _DUMP_NS)
        return program.alive and done()


def gather(town: RealTown, nemesis: Nemesis, log: Log, unreadable: list[str]) -> Evidence:
    """Return all evidence of a run whose programs have stopped; `unreadable` is added to.

    `Infrastructure` if topics or tables cannot be read: what is missing there would be taken for
    lost.
    """
    if not town.offsets.stop():
        unreadable.append("committed offsets: the groups' coordinators did not answer in the end")
    records, rows = _read(town)
    if town.scraper is not None:
        town.scraper.stop()
    history = town.history
    images = tuple(
        LogImage(shard=shard, taken_ns=town.clock.now, files=town.site.log_files(core))
        for shard, core in enumerate(town.deployment.cores, 1)
    )
    return Evidence(
        about=_about(town, log),
        operations=history.all(),
        answers=tuple(history.answers),
        reads=tuple(history.reads),
        listings=tuple(history.listings),
        records=records,
        logs=images,
        dumps=tuple(log.dumps),
        restarts=tuple(log.restarts),
        **rows,
        commits=tuple(town.offsets.commits),
        processes=with_ready(town.supervisor.events, town.programs, town.clock.epoch_ns),
        faults=(*receipts(nemesis.injections, town.deployment.cores), *_untested(town)),
        owed=tuple(owed(town.scenario, nemesis.injections)),
        lines=tuple(_lines(town)),
        samples=() if town.scraper is None else town.scraper.samples(),
        unreadable=tuple(unreadable),
    )


def _read(town: RealTown) -> tuple[tuple[TopicRecord, ...], dict[str, tuple[Any, ...]]]:
    """Return all records, and all rows by what the evidence calls them."""
    topics = Topics(town.backend, town.deployment.partitions)
    tables = Tables(town.backend, town.keyspace)
    try:
        unread = topics.read_to_end(_READ_S)
        rows = tables.gathered()
        unread += tables.unreadable
    finally:
        topics.close()
        tables.close()
    if unread:
        more = f" (and {len(unread) - 1} more)" if len(unread) > 1 else ""
        raise Infrastructure(f"nothing is said about the ledger: cannot read {unread[0]}{more}")
    return tuple(topics.all()), rows


def _untested(town: RealTown) -> list[FaultReceipt]:
    return [
        FaultReceipt(
            fault=repr(step.fault),
            kind=step.fault.kind,
            targets=step.fault.targets,
            untested=why,
        )
        for step, why in town.untested
    ]


def _about(town: RealTown, log: Log) -> About:
    scenario, backend = town.scenario, town.backend
    token = Token.of(scenario, town.seed, town.given)
    versions = ", ".join(f"{name} {version}" for name, version in backend.versions.items())
    nodes = len(backend.nodes)
    return About(
        scenario=scenario.name,
        seed=town.seed,
        token=str(token),
        stage="real",
        versions={**dict(token.versions), **backend.versions},
        servers=f"{backend.kind}, {nodes} {'node' if nodes == 1 else 'nodes'} each: {versions}",
        unobserved=UNOBSERVED,
        command=f"wavetank run {scenario.name} --seed {town.seed} --stage real {backend.wished}",
        plan_given=town.given is not None,
        story=scenario.story.strip(),
        epoch_ns=town.clock.epoch_ns,
        shards=len(town.deployment.cores),
        partitions=town.deployment.partitions,
        healed_ns=log.healed_ns,
        quiescent_ns=log.quiescent_ns,
        ended_ns=log.ended_ns,
        bound_ns=scenario.settles_ns,
        **promises(town.deployment),
    )


def _lines(town: RealTown) -> list[LogLine]:
    """Return what the programs logged, line by line."""
    found = []
    for program in town.programs:
        for text in program.stderr:
            line = read_line(text)
            found.append(
                LogLine(
                    at_ns=logged_ns(line, town.clock.epoch_ns, program.started_at),
                    process=program.name,
                    incarnation=program.incarnation,
                    level=line.level,
                    text=text,
                )
            )
    return sorted(found, key=lambda line: line.at_ns)
