"""Deliberate defects that those outside would notice: each breaks one of I14 to I18."""

import msgspec

from reports.evidence import Damage, FaultReceipt
from system.records import EVENTS
from tests.reports.build import MS, SECOND, Build
from tests.reports.invariants.ledger_defects import (
    Defects,
    acknowledged_and_gone,
    last,
    other,
    told_to_come_back,
)

change = msgspec.structs.replace


def stuck(b: Build) -> None:
    b.transfer("transfer_in", 1001, 1, 10**8, outcome="info", reach=2)


def late(b: Build) -> None:
    b.requests[0] = change(b.requests[0], durable_ns=b.now + 31 * SECOND)


def halted_for_nothing(b: Build) -> None:
    b.happens("settlement-1", "halted", code=70, reason="gap")


def ended_on_an_error(b: Build) -> None:
    b.happens("gateway-1", "exited", code=1, reason="defect")
    b.happens("gateway-1", "started", incarnation=2)


def left_down(b: Build) -> None:
    b.happens("ubscore-1", "exited", code=69, reason="unreachable")


def stale_at_rest(b: Build) -> None:
    b.reads[-1] = change(b.reads[-1], seq=0, avail=0)


def read_went_back(b: Build) -> None:
    b.reads.append(change(b.reads[0], invoked_ns=b.now + MS, returned_ns=b.now + 2 * MS))


def read_of_nothing_that_was(b: Build) -> None:
    b.reads[0] = change(b.reads[0], avail=b.reads[0].avail + 1)


def account_not_shown(b: Build) -> None:
    b.reads.pop()


def answer_went_back(b: Build) -> None:
    b.ask(1001, b.operations[0].request_id, "not_seen")


def half_an_effect(b: Build) -> None:
    b.accounts.pop()


def event_not_in_the_log(b: Build) -> None:
    b.bodies.pop()


def event_differs_from_the_log(b: Build) -> None:
    index = last(b, EVENTS)
    record = b.records[index]
    b.records[index] = change(record, value=other(record.value or b"", created_at=1))


def row_not_in_the_log(b: Build) -> None:
    b.bodies.pop()
    del b.records[last(b, EVENTS)]


def read_not_in_the_log(b: Build) -> None:
    b.reads[0] = change(b.reads[0], seq=99)


def answer_not_in_the_log(b: Build) -> None:
    b.ask(1001, "018bcfe5-6be8-7000-8000-00000000ffff", "rejected", "overflow")


def spoil(b: Build, kind: str) -> Damage:
    """Let the last event be altered, or be gone, and say so in a receipt."""
    index = last(b, EVENTS)
    record = b.records[index]
    damage = Damage(
        shard=0,
        at_ns=b.now,
        file=f"{EVENTS}[{record.partition}]",
        offset=record.offset,
        length=1,
        kind=kind,
        decidable=False,
        expected=record.value or b"",
        key=record.key or b"",
    )
    if kind == "altered":
        b.records[index] = change(record, value=b"{}")
    else:
        del b.records[index]
    b.faults.append(FaultReceipt(fault="Spoil()", kind="Spoil", bites=1, damage=(damage,)))
    return damage


def turned_away_for_long(b: Build) -> None:
    told_to_come_back(b, after_s=40, retry_after_s=1)


def read_on_over_an_altered_record(b: Build) -> None:
    spoil(b, "altered")


def read_on_over_an_empty_offset(b: Build) -> None:
    spoil(b, "emptied")


def halted_without_saying_where(b: Build) -> None:
    lost = b.records[last(b, EVENTS)]
    spoil(b, "closed_up")
    b.records.append(change(lost, value=b.records[last(b, EVENTS)].value))
    b.happens("settlement-1", "halted", code=70, reason="record_missing", detail="something")


def halted_without_saying_which(b: Build) -> None:
    damage = spoil(b, "emptied")
    detail = f"{damage.file}, offset {damage.offset + 10}: records are missing"
    b.happens("settlement-1", "halted", code=70, reason="input_gap", detail=detail)


def rot(b: Build, *, decidable: bool = False) -> None:
    damage = Damage(
        shard=1, at_ns=b.now, file="wal", offset=96, length=1, kind="rot", decidable=decidable
    )
    b.faults.append(
        FaultReceipt(
            fault="BitRot()",
            kind="BitRot",
            targets=("ubscore-1",),
            bites=1,
            damage=(damage,),
            entered_ns=b.now,
        )
    )


def served_after_rot(b: Build) -> None:
    rot(b)
    b.happens("ubscore-1", "crashed", code=-9)
    b.happens("ubscore-1", "started", incarnation=2)


def served_after_rot_and_died(b: Build) -> None:
    served_after_rot(b)
    b.happens("ubscore-1", "ready", incarnation=2)
    b.happens("ubscore-1", "crashed", incarnation=2, code=-9)


def halted_on_a_sound_log(b: Build) -> None:
    b.happens("ubscore-1", "halted", code=70, reason="log_damaged")


def another_partition(b: Build) -> None:
    index = last(b, EVENTS)
    b.records[index] = change(b.records[index], partition=b.records[index].partition ^ 1)


def another_key(b: Build) -> None:
    b.records[0] = change(b.records[0], key=b"1")


def not_a_record(b: Build) -> None:
    b.records[0] = change(b.records[0], value=b"{}")


DEFECTS: Defects = (
    ("I14", "TURNED_AWAY", turned_away_for_long),
    ("I14", "STUCK", stuck),
    ("I14", "LATE", late),
    ("I14", "UNOWED_HALT", halted_for_nothing),
    ("I14", "DEFECT", ended_on_an_error),
    ("I14", "LEFT_DOWN", left_down),
    ("I15", "STALE_AT_REST", stale_at_rest),
    ("I15", "WENT_BACK", read_went_back),
    ("I15", "NEVER_TRUE", read_of_nothing_that_was),
    ("I15", "NOT_SHOWN", account_not_shown),
    ("I15", "ANSWER_WENT_BACK", answer_went_back),
    ("I16", "TORN_EFFECT", half_an_effect),
    ("I17", "ACKNOWLEDGED_AND_GONE", acknowledged_and_gone),
    ("I17", "NOT_IN_LOG", event_not_in_the_log),
    ("I17", "DIFFERS_FROM_LOG", event_differs_from_the_log),
    ("I17", "ROW_NOT_IN_LOG", row_not_in_the_log),
    ("I17", "READ_NOT_IN_LOG", read_not_in_the_log),
    ("I17", "ANSWER_NOT_IN_LOG", answer_not_in_the_log),
    ("I18", "SERVED_DAMAGED_LOG", served_after_rot),
    ("I18", "SERVED_DAMAGED_LOG", served_after_rot_and_died),
    ("I18", "WENT_ON", read_on_over_an_altered_record),
    ("I18", "WENT_ON", read_on_over_an_empty_offset),
    ("I18", "WENT_ON", halted_without_saying_where),
    ("I18", "WENT_ON", halted_without_saying_which),
    ("I18", "HALT_WITHOUT_DAMAGE", halted_on_a_sound_log),
    ("I18", "WRONG_PARTITION", another_partition),
    ("I18", "WRONG_PARTITION", another_key),
    ("I18", "UNDECODABLE", not_a_record),
)
