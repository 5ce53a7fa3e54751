"""What both stages turn into evidence alike: receipts of faults, halts owed, lines logged."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from reports.evidence import Damage, FaultReceipt, OwedHalt, ProcessEvent
from scenarios.deployment import DATA
from scenarios.nemesis import Injection
from scenarios.scenario import Scenario
from scenarios.supervisor import Process
from sim.disk import BYTES_KEPT, FileDamage, Interrupted
from sim.faults.disks import Rot
from sim.faults.records import Spoiled


def receipts(injections: list[Injection], cores: tuple[str, ...]) -> tuple[FaultReceipt, ...]:
    """Return every fault as it was entered and left, and what it bit; `cores` are the shards."""
    shards = {core: shard for shard, core in enumerate(cores, 1)}
    return tuple(_receipt_of(injection, shards) for injection in injections)


def _receipt_of(injection: Injection, shards: dict[str, int]) -> FaultReceipt:
    receipt = injection.receipt
    return FaultReceipt(
        fault=repr(injection.step.fault),
        kind=injection.step.fault.kind,
        targets=receipt.targets,
        entered_ns=injection.entered_ns,
        left_ns=injection.left_ns,
        bites=receipt.bites,
        effects=receipt.effects,
        damage=tuple(_damages(injection, shards.get(receipt.targets[0], 1))),
    )


def owed(scenario: Scenario, injections: list[Injection]) -> list[OwedHalt]:
    """Return the halts that the faults which bit have called in."""
    done = [(injection.step, injection.receipt) for injection in injections]
    return [
        OwedHalt(
            process=clause.process,
            reason=clause.reason,
            detail=clause.detail,
            because=clause.because,
        )
        for clause in scenario.budget.owes(done)
        if clause.owed == "halted"
    ]


def _damages(injection: Injection, shard: int) -> list[Damage]:
    """Return what the fault did to logs and topics, as evidence."""
    at_ns = injection.entered_ns or 0
    found = []
    for damage in injection.receipt.damage:
        if isinstance(damage, Rot):
            found.append(_rotten(shard, at_ns, damage))
        elif isinstance(damage, Spoiled):
            found.append(_spoiled(damage))
        elif isinstance(damage, Interrupted):
            if damage.path.endswith(".log") and 0 < damage.done < damage.asked:
                found.append(_interrupted(shard, at_ns, damage))
        else:
            found += [_lost(shard, at_ns, file) for file in damage.files if _is_log(file)]
    return found


def _is_log(file: FileDamage) -> bool:
    return file.path.startswith(DATA) and file.path.endswith(".log")


def _rotten(shard: int, at_ns: int, rot: Rot) -> Damage:
    return Damage(
        shard=shard,
        at_ns=at_ns,
        file=_name(rot.path),
        offset=rot.offset,
        length=1,
        kind="rot",
        decidable=False,
        before=rot.before,
        found=rot.now,
        expected=rot.was,
    )


def _spoiled(record: Spoiled) -> Damage:
    return Damage(
        shard=0,
        at_ns=record.at_ns,
        file=f"{record.topic}[{record.partition}]",
        offset=record.offset,
        length=len(record.was),
        kind=record.how,
        decidable=False,
        found=record.now,
        expected=record.was,
        key=record.key,
    )


def _interrupted(shard: int, at_ns: int, call: Interrupted) -> Damage:
    return Damage(
        shard=shard,
        at_ns=at_ns,
        file=_name(call.path),
        offset=call.offset + call.done,
        length=call.asked - call.done,
        kind="torn",
        decidable=True,
        before=call.content[: call.done][-BYTES_KEPT:],
        expected=call.content[call.done :],
    )


def _lost(shard: int, at_ns: int, file: FileDamage) -> Damage:
    return Damage(
        shard=shard,
        at_ns=at_ns,
        file=_name(file.path),
        offset=file.offset,
        length=file.bytes_lost,
        kind="torn" if file.torn else "lost",
        decidable=True,
        found=file.left,
        expected=file.wanted,
    )


def _name(path: str) -> str:
    return path.rpartition("/")[2]


class Line(msgspec.Struct):
    """The part of a line of a program's log that says what it is; a bare line is an error."""

    event: str = ""
    level: str = "info"
    time: str = ""


_1970 = datetime(1970, 1, 1, tzinfo=UTC)
_decode = msgspec.json.Decoder(Line).decode


def read_line(text: str) -> Line:
    """Read one line that a program wrote to standard error."""
    try:
        return _decode(text.encode())
    except msgspec.DecodeError:
        return Line(level="error")


def logged_ns(line: Line, epoch_ns: int, otherwise: int) -> int:
    """Return when a line was logged by its own stamp, in ns after `epoch_ns`; never below 0.

    The stamp is the program's: its host's clock may be wrong.
    """
    try:
        since = datetime.fromisoformat(line.time) - _1970
    except (ValueError, TypeError):  # no stamp, or one without a zone
        return otherwise
    return max(since // timedelta(microseconds=1) * 1000 - epoch_ns, 0)


def with_ready(
    events: list[ProcessEvent], programs: Iterable[Process], epoch_ns: int
) -> tuple[ProcessEvent, ...]:
    """Add when each incarnation said that it was ready to what its supervisor noted.

    Its clock may be wrong: it was ready after its start and before its end, whatever it says.
    """
    ends = {(e.process, e.incarnation): e.at_ns for e in events if e.kind != "started"}
    found = list(events)
    for program in programs:
        for text in "\n".join(program.stderr).splitlines():
            line = read_line(text)
            if line.event == "ready":
                key = (program.name, program.incarnation)
                said_ns = logged_ns(line, epoch_ns, program.started_at)
                at_ns = max(min(said_ns, ends.get(key, said_ns)), program.started_at)
                found.append(
                    ProcessEvent(at_ns=at_ns, process=key[0], incarnation=key[1], kind="ready")
                )
                break
    return tuple(sorted(found, key=lambda event: (event.at_ns, _ORDER.get(event.kind, 2))))


_ORDER = {"started": 0, "ready": 1}  # of what has the same time
