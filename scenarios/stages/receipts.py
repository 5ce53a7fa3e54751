"""What both stages turn into evidence alike: receipts of faults, halts owed, lines logged."""

import msgspec

from reports.evidence import Damage, FaultReceipt, OwedHalt
from scenarios.deployment import DATA
from scenarios.nemesis import Injection
from scenarios.scenario import Scenario
from sim.disk import Interrupted
from sim.faults.disks import Rot


def receipt_of(injection: Injection) -> FaultReceipt:
    """Return a fault as it was entered and left, and what it bit."""
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


def owed(scenario: Scenario, injections: list[Injection]) -> list[OwedHalt]:
    """Return the halts that the faults which bit have called in."""
    done = [(injection.step, injection.receipt) for injection in injections]
    return [
        OwedHalt(process=clause.process, reason=clause.reason, because=clause.because)
        for clause in scenario.budget.owes(done)
        if clause.owed == "halted"
    ]


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


class Line(msgspec.Struct):
    """The part of a line of a program's log that says what it is; a bare line is an error."""

    event: str = ""
    level: str = "info"
    time: str = ""


_decode = msgspec.json.Decoder(Line).decode


def read_line(text: str) -> Line:
    """Read one line that a program wrote to standard error."""
    try:
        return _decode(text.encode())
    except msgspec.DecodeError:
        return Line(level="error")
