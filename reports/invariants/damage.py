"""The checker of damage: what cannot be decided stops a program, and nothing else does."""

import re
from collections.abc import Generator

from reports.breaks import Break
from reports.case import Case
from reports.evidence import Damage, FaultReceipt, ProcessEvent
from reports.spoiled import came_again, readers, spoiled, unseen
from reports.traffic import place_of
from system.topics import key_of, partition_of

_DAMAGED = ("log_", "snapshot_")  # how the reasons of halts on damage begin


def damage_halts(case: Case) -> Generator[Break, None, int]:
    """I18: real damage ends in a halt, sound logs do not, and no bad record is passed over.

    Whoever reads a record that is gone or altered must halt and name its partition, unless the
    sender sent it again before the hole had been open too long.
    """
    harmed = [
        (f, d)
        for f in case.evidence.faults
        for d in f.damage
        if not d.decidable and not d.of_record
    ]
    damages = [damage for _, damage in harmed]
    spoilt = spoiled(case.evidence)
    for damage in spoilt:
        yield from _unnoticed(case, damage)
    for fault, damage in harmed:
        event = _served_after(case, fault, damage)
        if event is not None:
            yield _damaged(
                "SERVED_DAMAGED_LOG",
                f"{damage.file} offset {damage.offset} ({damage.kind})",
                "a halt with its reason",
                f"{event.process}#{event.incarnation} went on",
                damage.at_ns,
            )
    halted = {e.process for e in case.evidence.processes if e.kind == "halted"}
    for journal in case.journals:
        if journal.damage and not damages and not any(p.startswith("ubscore") for p in halted):
            yield _damaged(
                "LOG_UNREADABLE",
                f"shard {journal.shard}",
                "a log that can be read to its end",
                journal.damage,
                None,
            )
    for event in case.evidence.processes:
        if (
            event.kind == "halted"
            and event.reason.startswith(_DAMAGED)
            and not damages
            and case.owed(event) is None
        ):
            where, found = f"{event.process}#{event.incarnation}", f"{event.reason}: {event.detail}"
            yield _damaged("HALT_WITHOUT_DAMAGE", where, "no halt", found, event.at_ns)
    yield from _bad_records(case)
    return len(case.journals) + len(damages) + len(spoilt) + len(case.evidence.records)


def _unnoticed(case: Case, damage: Damage) -> Generator[Break, None, None]:
    """Yield every reader of a spoiled record that did not stop and say where."""
    if came_again(damage, case.evidence) or unseen(damage, case.evidence):
        return
    for name in readers(damage, case.last_event):
        event = case.last_event[name]
        if event.kind == "halted" and _names(event.detail, damage):
            continue
        yield _damaged(
            "WENT_ON",
            f"{damage.file} offset {damage.offset} ({damage.kind})",
            f"a halt of {name} that names it",
            f"{name}#{event.incarnation} {event.kind} {event.reason} {event.detail}".strip(),
            damage.at_ns,
        )


def _names(detail: str, damage: Damage) -> bool:
    """Say whether a halt is about the record: where only its offset is left, about that."""
    named = rf".*\boffsets? {damage.offset}\b" if damage.kind == "emptied" else ""
    return damage.file in detail and re.match(named, detail, re.DOTALL) is not None


def _served_after(case: Case, fault: FaultReceipt, damage: Damage) -> ProcessEvent | None:
    """Return the start of an incarnation that read a damaged log and did not halt."""
    started: ProcessEvent | None = None
    for event in case.evidence.processes:
        if event.process not in fault.targets or event.at_ns < damage.at_ns:
            continue
        if event.kind == "started":
            started = event
        elif event.kind == "halted":
            return None
        elif event.kind == "ready" and started is not None:
            return started
        elif event.kind in ("crashed", "power_lost", "exited"):
            started = None
    return started


def _bad_records(case: Case) -> Generator[Break, None, None]:
    for record, why in case.undecodable:
        where = f"{record.topic}/{record.partition}@{record.offset}"
        yield _damaged("UNDECODABLE", where, "a record of a known format", why, None)
    for step in case.steps:
        for why in step.unreadable:
            yield _damaged("UNDECODABLE", step.place, "a record of a known format", why, None)
    homes: dict[int, int] = {}
    keyed = [(s.record, "user", s.command.user_id) for s in case.inputs]
    keyed += [(p.record, "user", p.event.user_id) for p in case.published]
    keyed += [(p.record, "symbol", p.validated.symbol_id) for p in case.passed]
    keyed += [(e.record, "symbol", e.output.symbol_id) for e in case.emitted]
    for record, what, number in keyed:
        home = homes.get(number)
        if home is None:
            home = partition_of(key_of(number), case.about.partitions)
            homes[number] = home
        if record.partition != home or record.key != key_of(number):
            where = place_of(record)
            expected = f"{what} {number} in partition {home}"
            found = f"key {(record.key or b'').decode(errors='replace')!r} in {record.partition}"
            yield _damaged("WRONG_PARTITION", where, expected, found, None)


def _damaged(code: str, where: str, expected: str, found: str, at_ns: int | None) -> Break:
    return Break(
        invariant="I18",
        code=code,
        where=where,
        expected=expected,
        found=found,
        at_ns=at_ns,
        cause="what cannot be decided must stop a program, and nothing else may",
    )
