"""Gathering evidence: what a run left in topics, logs and tables, and what could be seen of it."""

import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from reports import evidence
from reports.evidence import (
    About,
    Commit,
    Damage,
    Dump,
    Evidence,
    FaultReceipt,
    LogImage,
    LogLine,
    OwedHalt,
    Restart,
    TopicRecord,
)
from scenarios.clients import History
from scenarios.deployment import DATA, SECOND
from scenarios.nemesis import Injection, Nemesis
from scenarios.stages.tables import accounts, requests, rows
from scenarios.stages.town import Town, by_name
from scenarios.token import Token
from sim.disk import Interrupted
from sim.doors.signals import deliver_signal
from sim.faults.disks import Rot
from sim.machine import Record
from sim.process import Process
from system.records import EVENTS, OPERATIONS

_DUMP = f"{DATA}/balances.json"
_DUMP_BOUND = 30 * SECOND

RunUntil = Callable[[Callable[[], Any], int], bool]


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

    def watch(self, town: Town) -> None:
        """Note every state change that brokers and nodes report."""
        kernel = town.world.kernel

        def observe(_: str, change: Record) -> None:
            if change.kind == "commit":
                who, topic, partition, offset, _epoch, note, _at = change.fields
                self.commits.append(
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


def caught_up(town: Town) -> bool:
    """Whether every operation is decided and every event settled, by what Kafka shows."""
    kafka, settled = town.kafka, town.kafka.committed("settlement")
    for partition in range(town.deployment.partitions):
        commit = settled.get((EVENTS, partition))
        end = kafka.end_offset(EVENTS, partition)
        if (commit.offset if commit is not None else 0) != end:
            return False
    decided = {
        event.request_id
        for partition in range(town.deployment.partitions)
        for event in map(_request_of, kafka.log(EVENTS, partition))
    }
    return all(
        _request_of(record).request_id in decided
        for partition in range(town.deployment.partitions)
        for record in kafka.log(OPERATIONS, partition)
    )


class _Keyed(msgspec.Struct):
    request_id: str = ""


_decode_key = msgspec.json.Decoder(_Keyed).decode


def _request_of(record: Any) -> _Keyed:
    return _decode_key(record.value)


def dump_and_recover_twice(town: Town, log: Log, run_until: RunUntil) -> None:
    """Have UBSCore dump its balances; then kill it twice, and see what each recovery makes."""
    name = town.deployment.core
    process = town.world.living(name)
    if process is None:
        return
    body = _dump(process, run_until)
    if body is None:
        return
    log.dumps.append(
        Dump(
            shard=1,
            process=name,
            incarnation=process.incarnation,
            taken_ns=town.world.kernel.now,
            body=body,
        )
    )
    found = town.log_as_seen()
    bodies: list[bytes] = []
    begun = town.world.kernel.now
    for _ in range(2):
        town.supervisor.release(name)
        living = town.world.living(name)
        if living is not None:
            town.world.kernel.kill(living)
        process = town.supervisor.resume(name)
        body = _dump(process, run_until)
        if body is None:
            return
        bodies.append(body)
    log.restarts.append(
        Restart(
            shard=1,
            process=name,
            incarnation=process.incarnation,
            started_ns=begun,
            log=found,
            dumps=tuple(bodies),
        )
    )


def _dump(process: Process, run_until: RunUntil) -> bytes | None:
    """Send SIGUSR1 and return the file it makes; None if the program does not answer."""
    disk = process.host.disk
    assert disk is not None
    before = disk.cached(_DUMP)
    if not run_until(
        lambda: not process.alive or "ready" in "\n".join(process.stderr), _DUMP_BOUND
    ):
        return None
    seen = "\n".join(process.stderr).count('"dumped"')
    deliver_signal(process, signal.SIGUSR1)
    run_until(
        lambda: not process.alive or "\n".join(process.stderr).count('"dumped"') > seen,
        _DUMP_BOUND,
    )
    after = disk.cached(_DUMP)
    return after if process.alive and (after != before or after is not None) else None


def gather(town: Town, nemesis: Nemesis, history: History, log: Log) -> Evidence:
    """Return all evidence of a run."""
    shards = (LogImage(shard=1, taken_ns=town.world.kernel.now, files=town.data()),)
    return Evidence(
        about=_about(town, log),
        operations=tuple(sorted(history.operations, key=lambda op: (op.invoked_ns, op.client))),
        answers=tuple(history.answers),
        reads=tuple(history.reads),
        records=tuple(_records(town)),
        logs=shards,
        dumps=tuple(log.dumps),
        restarts=tuple(log.restarts),
        rows=rows(town),
        requests=requests(town),
        accounts=accounts(town),
        commits=tuple(log.commits),
        processes=tuple(town.supervisor.events),
        faults=tuple(map(_receipt, nemesis.injections)),
        owed=tuple(_owed(town, nemesis)),
        lines=tuple(_lines(town)),
    )


def _about(town: Town, log: Log) -> About:
    scenario, seed = town.scenario, town.world.seed
    token = Token.of(scenario, seed)
    return About(
        scenario=scenario.name,
        seed=seed,
        token=str(token),
        stage="simulated",
        versions=dict(token.versions),
        command=f"wavetank run {scenario.name} --seed {seed}",
        story=scenario.story.strip(),
        digest=town.world.kernel.trace.digest(),
        epoch_ns=scenario.epoch_ns,
        shards=1,
        partitions=town.deployment.partitions,
        events=town.world.kernel.events,
        healed_ns=log.healed_ns,
        quiescent_ns=log.quiescent_ns,
        ended_ns=log.ended_ns,
        bound_ns=scenario.settles_ns,
    )


def _records(town: Town) -> list[TopicRecord]:
    found = []
    for topic in (OPERATIONS, EVENTS):
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


def _receipt(injection: Injection) -> FaultReceipt:
    receipt = injection.receipt
    return FaultReceipt(
        fault=repr(injection.step.fault),
        kind=injection.step.fault.kind,
        targets=receipt.targets,
        entered_ns=injection.entered_ns,
        left_ns=injection.left_ns,
        bites=receipt.bites,
        effects=receipt.effects,
        damage=tuple(_damages(injection)),
    )


def _damages(injection: Injection) -> list[Damage]:
    """Return what the fault did to the log, as evidence."""
    found = []
    at_ns = injection.entered_ns or 0
    for damage in injection.receipt.damage:
        if isinstance(damage, Rot):
            found.append(_damage(at_ns, damage.path, damage.offset, 1, "rot", decidable=False))
            continue
        if isinstance(damage, Interrupted):
            if damage.path.endswith(".log") and 0 < damage.done < damage.asked:
                at, left = damage.offset + damage.done, damage.asked - damage.done
                found.append(_damage(at_ns, damage.path, at, left, "torn", decidable=True))
            continue
        for file in damage.files:
            if file.path.startswith(DATA) and file.path.endswith(".log"):
                offset = file.size_before - file.unsynced_bytes
                kind = "torn" if file.torn else "lost"
                found.append(
                    _damage(at_ns, file.path, offset, file.bytes_lost, kind, decidable=True)
                )
    return found


def _damage(
    at_ns: int, path: str, offset: int, length: int, kind: str, *, decidable: bool
) -> Damage:
    return Damage(
        shard=1,
        at_ns=at_ns,
        file=path.rpartition("/")[2],
        offset=offset,
        length=length,
        kind=kind,
        decidable=decidable,
    )


def _owed(town: Town, nemesis: Nemesis) -> list[OwedHalt]:
    injections = [(i.step, i.receipt) for i in nemesis.injections]
    return [
        OwedHalt(process=clause.process, reason=clause.reason, because=clause.because)
        for clause in town.scenario.budget.owes(injections)
        if clause.owed == "halted"
    ]


class _Line(msgspec.Struct):
    event: str = ""
    level: str = "info"
    time: str = ""


_decode_line = msgspec.json.Decoder(_Line).decode


def _lines(town: Town) -> list[LogLine]:
    """Return what the programs logged, line by line."""
    found = []
    for process in town.world.kernel.processes:
        for text in "\n".join(process.stderr).splitlines():
            try:
                level = _decode_line(text.encode()).level
            except msgspec.DecodeError:
                level = "error"
            found.append(
                LogLine(
                    at_ns=process.started_at,
                    process=process.name,
                    incarnation=process.incarnation,
                    level=level,
                    text=text,
                )
            )
    return found


__all__ = ["Log", "by_name", "caught_up", "dump_and_recover_twice", "evidence", "gather"]
