"""What a checker lets pass: owed halts, damage in time, answers that nobody had to give."""

import msgspec
import pytest

from reports.case import Case
from reports.evidence import About, FaultReceipt, OwedHalt
from reports.invariants import check, check_all
from reports.judge import judge
from system.records import EVENTS
from tests.reports.build import MS, SECOND, Build, lively, log_files, nine
from tests.reports.invariants.ledger_defects import last, told_to_come_back
from tests.reports.invariants.service_defects import rot, spoil

change = msgspec.structs.replace


def halting(build: Build) -> None:
    """Rot is found at a restart; the halt is owed, so what comes later waits for an operator."""
    rot(build)
    build.happens("ubscore-1", "crashed", code=-9)
    build.happens("ubscore-1", "started", incarnation=2)
    build.happens("ubscore-1", "halted", incarnation=2, code=70, reason="log_damaged")
    build.transfer("transfer_in", 1001, 2, 10**9, reach=2)


def halted(b: Build, process: str) -> None:
    """Let a program halt for a reason that is owed."""
    b.owed.append(OwedHalt(process=process, reason="log_damaged", because="its disk rotted"))
    b.happens(process, "halted", code=70, reason="log_damaged", detail="rot")


def stuck_codes(build: Build) -> set[str]:
    return {found.code for found in check(Case(build.evidence()), "I14").breaks}


def asked_in_vain(b: Build) -> None:
    """Let somebody ask long after the last fault, and get no answer."""
    told_to_come_back(b, after_s=40, retry_after_s=1)
    attempts = tuple(change(a, status=503) for a in b.operations[-1].attempts)
    b.operations[-1] = change(b.operations[-1], attempts=attempts, outcome="info")


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


def test_who_is_not_answered_while_a_fault_goes_on_was_not_kept_out() -> None:
    build = lively()
    asked_in_vain(build)
    build.faults.append(FaultReceipt(fault="Cut()", kind="Cut", entered_ns=0, left_ns=build.now))
    assert stuck_codes(build) == {"NOT_TAKEN"}

    late = change(build.faults[-1], left_ns=build.now + 20 * SECOND)
    build.faults[-1] = late
    assert stuck_codes(build) == set()


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
