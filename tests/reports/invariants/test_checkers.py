"""Each checker against sound evidence, and against one deliberate defect at a time."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from reports.case import Case
from reports.evidence import About, Commit, Damage, Evidence, FaultReceipt, OwedHalt, Restart
from reports.invariants import CHECKERS, check, check_all
from reports.judge import judge
from system.records import EVENTS, OPERATIONS, decode_event, encode
from system.wal.frames import CommandFrame, EpochFrame
from tests.reports.build import MS, SECOND, Build, lively, log_files, nine
from tests.reports.invariants import test_trading

change = msgspec.structs.replace


def other(value: bytes, **changes: Any) -> bytes:
    """Return an event with other fields."""
    return encode(change(decode_event(value), **changes))


def last(build: Build, topic: str) -> int:
    """Return the index of the last record of a topic."""
    return max(i for i, record in enumerate(build.records) if record.topic == topic)


# -- one deliberate defect each ------------------------------------------------------------------


def legs_of_another_size(b: Build) -> None:
    frame = b.bodies[1]
    leg = change(frame.legs[0], delta_avail=frame.legs[0].delta_avail + 1)
    b.bodies[1] = change(frame, legs=(leg,))


def money_in_the_ledger_only(b: Build) -> None:
    row = b.rows[2]
    b.rows[2] = change(row, avail=row.avail + 5, delta_avail=row.delta_avail + 5)


def below_zero(b: Build) -> None:
    b.rows[0] = change(b.rows[0], avail=-1)


def read_below_zero(b: Build) -> None:
    b.reads[0] = change(b.reads[0], frozen=-3)


def acknowledged_and_gone(b: Build) -> None:
    b.transfer("transfer_in", 1001, 1, 10**8, reach=1)


def published_and_never_settled(b: Build) -> None:
    b.transfer("transfer_in", 1001, 1, 10**8, reach=4)


def done_without_a_row(b: Build) -> None:
    b.rows.pop()


def row_without_an_answer(b: Build) -> None:
    b.requests.pop(0)


def applied_twice(b: Build) -> None:
    op = b.operations[0]
    b.transfer("transfer_in", 1001, 1, op.amount, request_id=op.request_id)


def sent_again_as_a_new_event(b: Build) -> None:
    record = b.records[last(b, EVENTS)]
    event = decode_event(record.value or b"")
    b._append(EVENTS, event.user_id, other(record.value or b"", n=event.n + 1))


def settled_twice(b: Build) -> None:
    row = b.rows[-1]
    b.rows.append(change(row, seq=row.seq + 1, avail=row.avail + row.delta_avail))


def hole_in_the_rows(b: Build) -> None:
    index = next(i for i, r in enumerate(b.rows) if (r.user_id, r.asset_id, r.seq) == (1001, 1, 2))
    del b.rows[index]


def overwritten(b: Build) -> None:
    b.rows[4] = change(b.rows[4], overwrites=1)


def column_differs(b: Build) -> None:
    b.rows[4] = change(b.rows[4], created_at=b.rows[4].created_at + 1)


def row_from_nowhere(b: Build) -> None:
    b.rows.append(change(b.rows[-1], user_id=4242, seq=1))


def event_without_row(b: Build) -> None:
    b.transfer("transfer_in", 1001, 1, 10**8, reach=4)


def seq_used_twice(b: Build) -> None:
    record = b.records[last(b, EVENTS)]
    event = decode_event(record.value or b"")
    b._append(EVENTS, event.user_id, other(record.value or b"", ref_id="other"))


def wrong_running_balance(b: Build) -> None:
    b.rows[0] = change(b.rows[0], avail=b.rows[0].avail + 1)


def state_without_the_log(b: Build) -> None:
    b.balances.clear()


def life_that_began_elsewhere(b: Build) -> None:
    frame = b.bodies[-1]
    (leg,) = frame.legs
    b.bodies[-1:] = [EpochFrame(2, "b"), change(frame, legs=(change(leg, avail=leg.avail + 1),))]


def state_before_the_log(b: Build) -> None:
    body = b.dump().replace(b'"lsn":%d' % len(b.bodies), b'"lsn":%d' % (len(b.bodies) + 9))
    b.dumps = [change(b.evidence().dumps[0], body=body)]


def recovery_forgets(b: Build) -> None:
    empty = b'{"lsn":1,"balances":[]}'
    b.restarts = [change(b.restarts[0], dumps=(empty,))]


def second_recovery_differs(b: Build) -> None:
    sound = b.restarts[0].dumps[0]
    doubled = sound.replace(b'"seq":1}', b'"seq":2}')
    b.restarts = [change(b.restarts[0], dumps=(sound, doubled))]


def commit_before_the_rows(b: Build) -> None:
    commit = b.commits[3]
    b.commits[3] = change(commit, at_ns=b.rows[3].durable_ns - 1)  # type: ignore[operator]


def commit_before_the_decision(b: Build) -> None:
    at_ns = b.commits[3].at_ns
    b.requests[3] = change(b.requests[3], durable_ns=at_ns + 1)


def commit_before_the_account(b: Build) -> None:
    b.accounts[3] = change(b.accounts[3], durable_ns=b.commits[3].at_ns + 1)


def row_on_a_minority_only(b: Build) -> None:
    b.rows[3] = change(b.rows[3], durable_ns=None)


def commit_beyond_the_rows(b: Build) -> None:
    b.transfer("transfer_in", 1002, 1, 10**8, reach=4)
    partition = b.records[-1].partition
    offset = b.records[-1].offset + 1
    b.commits.append(
        Commit(
            group="settlement",
            topic=EVENTS,
            partition=partition,
            offset=offset,
            metadata="",
            at_ns=b.now,
        )
    )


def commit_before_the_frame(b: Build) -> None:
    b.transfer("transfer_in", 1002, 1, 10**8, reach=2)
    record = b.records[-1]
    b.commits.append(
        Commit(
            group="ubscore",
            topic=OPERATIONS,
            partition=record.partition,
            offset=record.offset + 1,
            metadata="",
            at_ns=b.now,
        )
    )


def refused_and_applied(b: Build) -> None:
    b.operations[0] = change(b.operations[0], outcome="fail")


def rejected_and_applied(b: Build) -> None:
    b.requests[0] = change(b.requests[0], decision="rejected", reason="overflow")


def done_and_nothing(b: Build) -> None:
    b.ask(1001, "018bcfe5-6be8-7000-8000-00000000ffff", "done")


def another_reason(b: Build) -> None:
    rejected = next(
        op
        for op in b.operations
        if op.amount == 10**13 and op.user_id == 1002 and op.kind == "transfer_out"
    )
    b.ask(1002, rejected.request_id, "rejected", "overflow")


def untrue_reason(b: Build) -> None:
    b.transfer("transfer_out", 1001, 1, 1, reason="insufficient_balance")


def expired_at_once(b: Build) -> None:
    b.transfer("transfer_out", 1001, 1, 1, reason="expired")


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


def told_to_come_back(b: Build, *, after_s: int, retry_after_s: int | None) -> None:
    """Let somebody ask twice, `after_s` apart, and be answered 429."""
    b.transfer("transfer_in", 1001, 1, 10**8, outcome="fail", reach=1)
    attempt = change(b.operations[-1].attempts[0], status=429, retry_after_s=retry_after_s)
    later = change(attempt, invoked_ns=attempt.invoked_ns + after_s * SECOND)
    b.operations[-1] = change(b.operations[-1], attempts=(attempt, later))


def turned_away_for_long(b: Build) -> None:
    told_to_come_back(b, after_s=40, retry_after_s=1)


def turned_away_without_a_time(b: Build) -> None:
    told_to_come_back(b, after_s=1, retry_after_s=None)


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


DEFECTS: tuple[tuple[str, str, Callable[[Build], None]], ...] = (
    ("I1", "LEGS_DIFFER", legs_of_another_size),
    ("I1", "NOT_CONSERVED", money_in_the_ledger_only),
    ("I2", "NEGATIVE", below_zero),
    ("I2", "NEGATIVE", read_below_zero),
    ("I3", "ACK_LOST", acknowledged_and_gone),
    ("I3", "ACK_LOST", published_and_never_settled),
    ("I3", "DONE_WITHOUT_ROW", done_without_a_row),
    ("I3", "HALF_VISIBLE", row_without_an_answer),
    ("I3", "TWICE", settled_twice),
    ("I4", "APPLIED_TWICE", applied_twice),
    ("I4", "PUBLISHED_TWICE", sent_again_as_a_new_event),
    ("I4", "SETTLED_TWICE", settled_twice),
    ("I5", "HOLE", hole_in_the_rows),
    ("I5", "OVERWRITTEN", overwritten),
    ("I5", "COLUMN_DIFFERS", column_differs),
    ("I5", "ROW_WITHOUT_EVENT", row_from_nowhere),
    ("I5", "EVENT_WITHOUT_ROW", event_without_row),
    ("I5", "SEQ_REUSED", seq_used_twice),
    ("I6", "AVAIL_CHAIN", wrong_running_balance),
    ("I7", "STATE_DIFFERS", state_without_the_log),
    ("I7", "BEGAN_ELSEWHERE", life_that_began_elsewhere),
    ("I7", "STATE_AHEAD", state_before_the_log),
    ("I7", "STATE_DIFFERS", recovery_forgets),
    ("I7", "TWICE_IS_NOT_ONCE", second_recovery_differs),
    ("I12", "COMMIT_AHEAD", commit_before_the_rows),
    ("I12", "COMMIT_AHEAD", commit_before_the_decision),
    ("I12", "COMMIT_AHEAD", commit_before_the_account),
    ("I12", "COMMIT_AHEAD", row_on_a_minority_only),
    ("I12", "COMMIT_AHEAD", commit_beyond_the_rows),
    ("I12", "COMMIT_AHEAD", commit_before_the_frame),
    ("I13", "REFUSED_YET_APPLIED", refused_and_applied),
    ("I13", "REJECTED_YET_APPLIED", rejected_and_applied),
    ("I13", "SAID_DONE_NO_EFFECT", done_and_nothing),
    ("I13", "REASON_DIFFERS", another_reason),
    ("I13", "REASON_UNTRUE", untrue_reason),
    ("I13", "REASON_UNTRUE", expired_at_once),
    ("I13", "COME_BACK_WHEN", turned_away_without_a_time),
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


@pytest.mark.parametrize(("invariant", "code", "defect"), DEFECTS)
def test_a_deliberate_defect_is_caught_by_its_invariant(
    invariant: str, code: str, defect: Callable[[Build], None]
) -> None:
    build = lively()
    defect(build)
    judgement = judge(build.evidence())
    assert judgement.verdict == "broken"
    codes = {b.code for b in judgement.breaks if b.invariant == invariant}
    assert code in codes
    assert not [c.error for c in judgement.checks if c.error]
    assert all(str(b) for b in judgement.breaks)


def test_every_invariant_has_a_defect_that_breaks_it() -> None:
    about_orders = {invariant for invariant, _, _ in test_trading.DEFECTS} - {"R"}
    assert {invariant for invariant, _, _ in DEFECTS} | about_orders == set(CHECKERS)


def test_sound_evidence_yields_no_break_and_every_invariant_looks_at_something() -> None:
    judgement = judge(lively().evidence())
    assert judgement.breaks == ()
    assert judgement.unknown == ()
    assert judgement.verdict == "held"


def test_nothing_checked_is_unknown_never_a_pass() -> None:
    build = Build()
    build.dumps = []
    checks = check_all(Case(change(build.evidence(), logs=())))
    assert {c.invariant: c.verdict for c in checks} == dict.fromkeys(CHECKERS, "unknown")


def test_a_checker_that_fails_has_found_out_nothing() -> None:
    build = nine()
    build.dumps = [change(build.evidence().dumps[0], body=b"no json")]
    result = check(Case(build.evidence()), "I7")
    assert result.verdict == "unknown"
    assert "DecodeError" in result.error


def test_an_unreadable_source_keeps_a_run_from_holding() -> None:
    evidence = change(lively().evidence(), unreadable=("balance_ledger: no quorum",))
    assert judge(evidence).verdict == "unknown"


def halting(build: Build) -> None:
    """Rot is found at a restart; the halt is owed, so what comes later waits for an operator."""
    rot(build)
    build.happens("ubscore-1", "crashed", code=-9)
    build.happens("ubscore-1", "started", incarnation=2)
    build.happens("ubscore-1", "halted", incarnation=2, code=70, reason="log_damaged")
    build.transfer("transfer_in", 1001, 2, 10**9, reach=2)


def test_an_owed_halt_explains_missing_progress() -> None:
    build = lively()
    halting(build)
    assert judge(build.evidence()).verdict == "broken"
    build.owed.append(OwedHalt(process="ubscore-1", reason="log_*", because="rot in an old frame"))
    judgement = judge(build.evidence())
    assert [str(b) for b in judgement.breaks] == []
    assert judgement.verdict == "held"
    assert any("rot in an old frame" in text for text in judgement.excused)


def test_an_owed_halt_does_not_excuse_what_kafka_never_got() -> None:
    build = lively()
    halting(build)
    build.owed.append(OwedHalt(process="ubscore-1", reason="*", because="rot in an old frame"))
    build.transfer("transfer_in", 1001, 2, 10**9, reach=1)
    codes = {b.code for b in judge(build.evidence()).breaks}
    assert codes == {"ACK_LOST", "ACKNOWLEDGED_AND_GONE"}


def test_before_the_bound_nothing_is_overdue() -> None:
    build = lively()
    build.transfer("transfer_in", 1001, 2, 10**9, reach=2)
    build.about = {"quiescent_ns": None, "ended_ns": build.now + SECOND}
    build.reads = [read for read in build.reads if not read.quiescent]
    codes = {b.code for b in judge(build.evidence()).breaks}
    assert codes == set()


def test_who_read_the_log_before_the_damage_may_go_on() -> None:
    build = nine()
    build.happens("ubscore-1", "started", incarnation=2)
    build.now += MS
    rot(build)
    build.happens("ubscore-1", "ready", incarnation=2)

    assert not check(Case(build.evidence()), "I18").breaks


def test_a_torn_tail_is_no_damage_to_halt_for() -> None:
    build = lively()
    files = {name: data + b"\x13" * 40 for name, data in log_files(build.bodies).items()}
    evidence = change(build.evidence(), logs=(change(build.evidence().logs[0], files=files),))
    assert judge(evidence).verdict == "held"


def test_reads_without_seq_are_given_the_benefit_of_the_doubt_only_once() -> None:
    build = nine()
    build.transfer("transfer_out", 1001, 1, 10**12)  # back to zero: two states look alike
    build.reads = []
    for avail in (0, 10**12, 0):
        build.read(1001, 1)
        build.reads[-1] = change(build.reads[-1], seq=None, avail=avail)
    assert check(Case(build.evidence()), "I15").verdict == "held"
    build.read(1001, 1)
    build.reads[-1] = change(build.reads[-1], seq=None, avail=10**12)
    result = check(Case(build.evidence()), "I15")
    assert [b.code for b in result.breaks] == ["WENT_BACK"]


def test_the_second_body_under_one_key_is_rejected_without_a_break() -> None:
    build = nine()
    key = build.operations[0].request_id
    build.transfer("transfer_in", 1001, 1, 7, request_id=key, reason="request_id_reused")
    build.audit()
    assert [str(b) for b in judge(build.evidence()).breaks] == []


def test_a_recovery_from_a_shorter_log_is_judged_by_that_log() -> None:
    build = nine()
    dump = build.dump()
    started = build.now
    log = log_files(build.bodies)
    build.transfer("transfer_in", 1001, 1, 10**8)
    build.restarts.append(
        Restart(
            shard=1,
            process="ubscore-1",
            incarnation=2,
            started_ns=started,
            log=log,
            dumps=(dump, dump),
        )
    )
    before = check(Case(change(build.evidence(), restarts=())), "I7")
    result = check(Case(build.evidence()), "I7")
    assert result.verdict == "held"
    assert result.checked - before.checked == 2


def test_a_recovery_after_late_input_is_judged_by_the_log_with_it() -> None:
    build = lively()
    [restart] = build.restarts
    build.transfer("transfer_in", 1001, 1, 10**8)
    late = build.dump()
    build.restarts = [change(restart, dumps=(restart.dumps[0], late))]
    assert check(Case(build.evidence()), "I7").verdict == "held"
    lost = late.replace(b'"n":', b'"n":1')
    build.restarts = [change(restart, dumps=(restart.dumps[0], lost))]
    assert {b.code for b in check(Case(build.evidence()), "I7").breaks} == {"NUMBERS_DIFFER"}


def test_frames_are_built_as_the_system_reads_them() -> None:
    journal = Case(nine().evidence()).journals[0]
    assert journal.damage == ""
    assert len(journal.decisions) == 9
    assert all(isinstance(d.frame, CommandFrame) for d in journal.decisions)


def real_stage(build: Build) -> Evidence:
    """Return the evidence as a real stage has it: nobody saw when rows became durable."""
    build.rows = [change(row, durable_ns=None) for row in build.rows]
    build.requests = [change(row, durable_ns=None) for row in build.requests]
    evidence = build.evidence()
    return change(evidence, about=change(evidence.about, stage="real"))


def test_where_nobody_saw_rows_become_durable_those_of_committed_offsets_must_be_there() -> None:
    sound = judge(real_stage(lively()))
    build = lively()
    commit_beyond_the_rows(build)
    broken = judge(real_stage(build))

    assert sound.verdict == "held"
    assert next(c.checked for c in sound.checks if c.invariant == "I12") > 0
    assert "COMMIT_AHEAD" in {b.code for b in broken.breaks}


def test_a_hole_in_the_ledger_is_not_hidden_by_rows_that_nobody_saw_become_durable() -> None:
    build = nine()
    lost = build.rows.pop(0)
    evidence = real_stage(build)

    codes = {(b.code, b.where) for b in check(Case(evidence), "I12").breaks}

    assert lost.seq == 1
    assert {code for code, _ in codes} == {"COMMIT_AHEAD"}


@pytest.mark.parametrize("kind", ["altered", "emptied", "closed_up"])
def test_who_stops_at_a_spoiled_record_and_says_where_has_done_its_duty(kind: str) -> None:
    build = lively()
    damage = spoil(build, kind)
    detail = f"{damage.file} offset {damage.offset}: not as it should be"
    build.happens("settlement-1", "halted", code=70, reason="input_gap", detail=detail)

    assert check(Case(build.evidence()), "I18").breaks == ()


def test_a_lost_record_that_was_sent_again_need_stop_nobody() -> None:
    build = lively()
    again = build.records[last(build, EVENTS)]
    spoil(build, "closed_up")
    build.records.append(again)

    assert check(Case(build.evidence()), "I18").breaks == ()


def test_a_lost_record_that_nothing_follows_is_seen_by_nobody() -> None:
    build = lively()
    spoil(build, "closed_up")

    assert check(Case(build.evidence()), "I18").breaks == ()


def test_who_is_told_to_come_back_and_gives_up_soon_was_not_turned_away() -> None:
    build = lively()
    told_to_come_back(build, after_s=2, retry_after_s=1)

    assert all(c.verdict == "held" for c in check_all(Case(build.evidence()), ("I13", "I14")))


def halted(b: Build, process: str) -> None:
    """Let a program halt for a reason that is owed."""
    b.owed.append(OwedHalt(process=process, reason="log_damaged", because="its disk rotted"))
    b.happens(process, "halted", code=70, reason="log_damaged", detail="rot")


def stuck_codes(build: Build) -> set[str]:
    return {found.code for found in check(Case(build.evidence()), "I14").breaks}


@pytest.mark.parametrize(("own", "codes"), [(True, set()), (False, {"STUCK"})])
def test_a_shard_that_may_stay_down_excuses_its_own_users_alone(own: bool, codes: set[str]) -> None:
    build = lively()
    build.about["shards"] = 2
    build.happens("ubscore-2", "started")
    build.transfer("transfer_in", 1001, 1, 10**8, reach=2)
    shard = build.records[-1].partition % 2 + 1
    halted(build, f"ubscore-{shard if own else 3 - shard}")

    assert stuck_codes(build) == codes


def test_the_engine_is_no_excuse_for_a_deposit() -> None:
    build = lively()
    build.transfer("transfer_in", 1001, 1, 10**8, reach=2)
    halted(build, "engine-1")

    assert stuck_codes(build) == {"STUCK"}


def test_one_of_two_in_a_group_is_no_excuse_for_what_is_not_settled() -> None:
    build = lively()
    build.transfer("transfer_in", 1001, 1, 10**8, reach=4)
    build.happens("settlement-2", "started")
    halted(build, "settlement-1")
    assert stuck_codes(build) == {"STUCK"}

    halted(build, "settlement-2")
    assert stuck_codes(build) == set()


def asked_in_vain(b: Build) -> None:
    """Let somebody ask long after the last fault, and get no answer."""
    told_to_come_back(b, after_s=40, retry_after_s=1)
    attempts = tuple(change(a, status=503) for a in b.operations[-1].attempts)
    b.operations[-1] = change(b.operations[-1], attempts=attempts, outcome="info")


def test_who_is_not_answered_while_a_fault_goes_on_was_not_kept_out() -> None:
    build = lively()
    asked_in_vain(build)
    build.faults.append(FaultReceipt(fault="Cut()", kind="Cut", entered_ns=0, left_ns=build.now))
    assert stuck_codes(build) == {"NOT_TAKEN"}

    late = change(build.faults[-1], left_ns=build.now + 20 * SECOND)
    build.faults[-1] = late
    assert stuck_codes(build) == set()


def behind_a_hole(*commits: tuple[int, int]) -> Build:
    """Return three rows in the order 1, 3, 2, 3 on the topic; `commits` are offset and row time."""
    build = Build()
    for _ in range(3):
        build.transfer("transfer_in", 1001, 1, 10**8)
    sent = [record for record in build.records if record.topic == EVENTS]
    build.records = [record for record in build.records if record.topic != EVENTS]
    build.records += [
        change(sent[n - 1], offset=offset) for offset, n in enumerate((1, 3, 2, 3), sent[0].offset)
    ]
    partition, first = sent[0].partition, sent[0].offset
    build.commits = [
        Commit(
            group="settlement",
            topic=EVENTS,
            partition=partition,
            offset=first + count,
            metadata="",
            at_ns=build.rows[row - 1].durable_ns or 0,
        )
        for count, row in commits
    ]
    return build


def test_what_lies_beyond_a_hole_is_durable_when_its_later_copy_is() -> None:
    build = behind_a_hole((1, 1), (3, 2), (4, 3))

    found = check(Case(build.evidence()), "I12")

    assert (found.verdict, found.checked) == ("held", 3)


def test_no_offset_beyond_an_open_hole_may_be_committed() -> None:
    build = behind_a_hole((1, 1), (2, 3))

    (found,) = check(Case(build.evidence()), "I12").breaks

    assert found.code == "COMMIT_AHEAD"
    assert "beyond a hole" in found.expected


def test_a_program_that_was_down_when_a_run_was_interrupted_had_no_time_to_come_back() -> None:
    build = lively()
    build.happens("ubscore-1", "exited", code=74, reason="log_io")
    evidence = build.evidence()
    early = change(evidence.about, quiescent_ns=None, healed_ns=evidence.about.ended_ns)
    late = change(early, ended_ns=early.ended_ns + early.bound_ns)

    def left_down(about: About) -> bool:
        found = check(Case(change(evidence, about=about)), "I14")
        return "LEFT_DOWN" in {b.code for b in found.breaks}

    assert not left_down(early)
    assert left_down(late)
