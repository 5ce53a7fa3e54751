"""Gathering evidence: what a run left in topics, logs and tables, and what could be seen of it."""

import signal
from collections.abc import Callable
from typing import Any

from reports.evidence import (
    About,
    Commit,
    Evidence,
    LogImage,
    LogLine,
    TopicRecord,
)
from scenarios.deployment import DATA, SECOND
from scenarios.nemesis import Nemesis
from scenarios.readers import History
from scenarios.redeploy import SETTINGS
from scenarios.scenario import Plan
from scenarios.stages import tables
from scenarios.stages.audit import Log, told_to_dump
from scenarios.stages.progress import Progress
from scenarios.stages.receipts import logged_ns, owed, read_line, receipts, with_ready
from scenarios.stages.told import promises
from scenarios.stages.town import Town
from scenarios.token import Token
from sim.doors.signals import deliver_signal
from sim.machine import Record
from sim.process import Process
from system import topics
from system.records import EVENTS, OUTPUTS

_DUMP = f"{DATA}/balances.json"
_TOLD = f"{SETTINGS}/ubscore.toml"
_DUMP_BOUND = 30 * SECOND

RunUntil = Callable[[Callable[[], Any], int], bool]


def watch(town: Town, log: Log) -> None:
    """Note every state change that brokers and nodes report."""
    kernel = town.world.kernel

    def observe(_: str, change: Record) -> None:
        if change.kind == "commit":
            who, topic, partition, offset, _epoch, note, _at = change.fields
            log.commits.append(
                Commit(
                    group=str(who),
                    topic=str(topic),
                    partition=int(partition or 0),
                    offset=int(offset or 0),
                    metadata=str(note),
                    at_ns=kernel.now,
                )
            )

    for host in town.world.hosts.values():
        for server in host.servers:
            server.observer = observe


class Course:
    """How far a town has come, by what Kafka shows; each record is read once."""

    def __init__(self, town: Town) -> None:
        self._kafka = town.kafka
        self._partitions = range(town.deployment.partitions)
        self._progress = Progress()
        self._read: dict[tuple[str, int], int] = {}  # where to go on

    def caught_up(self) -> bool:
        """Whether all is decided, matched, applied and settled."""
        return self._settled() and self._complete()

    def _settled(self) -> bool:
        settled = self._kafka.committed("settlement")
        for topic in (EVENTS, OUTPUTS):
            for partition in self._partitions:
                commit = settled.get((topic, partition))
                end = self._kafka.end_offset(topic, partition)
                if (commit.offset if commit is not None else 0) != end:
                    return False
        return True

    def _complete(self) -> bool:
        for topic in topics.ALL:
            for partition in self._partitions:
                log = self._kafka.partition_log(topic, partition)
                for record in log.records(self._read.get((topic, partition), 0)):
                    self._progress.take(topic, record.value or b"")
                self._read[topic, partition] = log.end
        return self._progress.complete


class SimulatedCore:
    """UBSCore in a simulated world, as the audit handles it."""

    def __init__(self, town: Town, run_until: RunUntil, shard: int) -> None:
        self.town = town
        self.shard = shard
        self.name = town.deployment.cores[shard - 1]
        self._run_until = run_until

    @property
    def now(self) -> int:
        """Nanoseconds since the start of the world."""
        return self.town.world.kernel.now

    @property
    def incarnation(self) -> int | None:
        """Which incarnation lives."""
        process = self.town.world.living(self.name)
        return None if process is None else process.incarnation

    def log(self) -> dict[str, bytes]:
        """Return the files of its log as processes see them now, by name."""
        return self.town.log_as_seen(self.name)

    def kill(self) -> None:
        """Kill it if it lives, for good."""
        self.town.supervisor.release(self.name)
        living = self.town.world.living(self.name)
        if living is not None:
            self.town.world.kernel.kill(living)

    def recover(self) -> bytes | None:
        """Start it, told to dump, and return that file; None if it does not become ready."""
        disk = self.town.world.hosts[self.name].disk
        assert disk is not None
        settings = disk.cached(_TOLD)
        assert settings is not None
        disk.put(_TOLD, told_to_dump(settings))
        self.town.supervisor.resume(self.name)
        process = self.town.world.living(self.name)
        if process is None or not _ready(process, self._run_until):
            return None
        return disk.cached(_DUMP) if "\n".join(process.stderr).count('"dumped"') else None

    def dump(self) -> bytes | None:
        """Send SIGUSR1 and return the file it makes; None if the program does not answer."""
        process = self.town.world.living(self.name)
        return None if process is None else _dump(process, self._run_until)


def _dump(process: Process, run_until: RunUntil) -> bytes | None:
    """Send SIGUSR1 and return the file it makes; None if the program does not answer."""
    disk = process.host.disk
    assert disk is not None
    before = disk.cached(_DUMP)
    if not _ready(process, run_until):
        return None
    seen = "\n".join(process.stderr).count('"dumped"')
    deliver_signal(process, signal.SIGUSR1)
    run_until(
        lambda: not process.alive or "\n".join(process.stderr).count('"dumped"') > seen,
        _DUMP_BOUND,
    )
    after = disk.cached(_DUMP)
    return after if process.alive and (after != before or after is not None) else None


def _ready(process: Process, run_until: RunUntil) -> bool:
    return process.alive and run_until(
        lambda: not process.alive or "ready" in "\n".join(process.stderr), _DUMP_BOUND
    )


def gather(
    town: Town, nemesis: Nemesis, history: History, log: Log, given: Plan | None
) -> Evidence:
    """Return all evidence of a run; `given` is its plan if it is not the one its seed draws."""
    shards = tuple(
        LogImage(shard=shard, taken_ns=town.world.kernel.now, files=town.data(core))
        for shard, core in enumerate(town.deployment.cores, 1)
    )
    return Evidence(
        about=_about(town, log, given),
        operations=history.all(),
        answers=tuple(history.answers),
        reads=tuple(history.reads),
        listings=tuple(history.listings),
        records=tuple(_records(town)),
        logs=shards,
        dumps=tuple(log.dumps),
        restarts=tuple(log.restarts),
        **tables.gathered(town),
        commits=tuple(log.commits),
        processes=with_ready(
            town.supervisor.events, town.world.kernel.processes, town.scenario.epoch_ns
        ),
        faults=receipts(nemesis.injections, town.deployment.cores),
        owed=tuple(owed(town.scenario, nemesis.injections)),
        lines=tuple(_lines(town)),
        samples=() if town.sampler is None else town.sampler.samples(),
    )


def _about(town: Town, log: Log, given: Plan | None) -> About:
    scenario, seed = town.scenario, town.world.seed
    token = Token.of(scenario, seed, given)
    return About(
        scenario=scenario.name,
        seed=seed,
        token=str(token),
        stage="simulated",
        versions=dict(token.versions),
        command=f"wavetank run {scenario.name} --seed {seed}",
        plan_given=given is not None,
        story=scenario.story.strip(),
        digest=town.world.kernel.trace.digest(),
        epoch_ns=scenario.epoch_ns,
        shards=len(town.deployment.cores),
        partitions=town.deployment.partitions,
        events=town.world.kernel.events,
        healed_ns=log.healed_ns,
        quiescent_ns=log.quiescent_ns,
        ended_ns=log.ended_ns,
        bound_ns=scenario.settles_ns,
        **promises(town.deployment),
    )


def _records(town: Town) -> list[TopicRecord]:
    found = []
    for topic in topics.ALL:
        for partition in range(town.deployment.partitions):
            found += [
                TopicRecord(
                    topic=topic,
                    partition=partition,
                    offset=record.offset,
                    key=record.key,
                    value=record.value,
                    headers=tuple((name, value or b"") for name, value in record.headers),
                    timestamp_ms=record.timestamp_ms,
                    leader_epoch=record.leader_epoch,
                )
                for record in town.kafka.log(topic, partition)
            ]
    return found


def _lines(town: Town) -> list[LogLine]:
    """Return what the programs logged, line by line."""
    return [
        LogLine(
            at_ns=logged_ns(line, town.scenario.epoch_ns, process.started_at),
            process=process.name,
            incarnation=process.incarnation,
            level=line.level,
            text=text,
        )
        for process in town.world.kernel.processes
        for text in "\n".join(process.stderr).splitlines()
        for line in (read_line(text),)
    ]
