"""Each checker against sound evidence, and against one deliberate defect at a time."""

from collections.abc import Callable

import msgspec
import pytest

from reports.case import Case
from reports.evidence import Commit, Evidence, Restart
from reports.invariants import CHECKERS, check, check_all
from reports.judge import judge
from system.records import EVENTS
from system.wal.frames import CommandFrame
from tests.reports.build import Build, lively, log_files, nine
from tests.reports.invariants import ledger_defects, service_defects, test_trading
from tests.reports.invariants.ledger_defects import commit_beyond_the_rows

change = msgspec.structs.replace

DEFECTS = (*ledger_defects.DEFECTS, *service_defects.DEFECTS)


def real_stage(build: Build) -> Evidence:
    """Return the evidence as a real stage has it: nobody saw when rows became durable."""
    build.rows = [change(row, durable_ns=None) for row in build.rows]
    build.requests = [change(row, durable_ns=None) for row in build.requests]
    evidence = build.evidence()
    return change(evidence, about=change(evidence.about, stage="real"))


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


def test_what_lies_beyond_a_hole_is_durable_when_its_later_copy_is() -> None:
    build = behind_a_hole((1, 1), (3, 2), (4, 3))

    found = check(Case(build.evidence()), "I12")

    assert (found.verdict, found.checked) == ("held", 3)


def test_no_offset_beyond_an_open_hole_may_be_committed() -> None:
    build = behind_a_hole((1, 1), (2, 3))

    (found,) = check(Case(build.evidence()), "I12").breaks

    assert found.code == "COMMIT_AHEAD"
    assert "beyond a hole" in found.expected
