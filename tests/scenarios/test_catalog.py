"""The catalog: every story runs to its end, and what it says is so."""

import pytest

from reports.evidence import Row
from reports.pages import html
from scenarios import catalog, controls
from scenarios.redeploy import Redeploy  # noqa: F401 - repr is source text
from scenarios.scenario import Scenario, Step  # noqa: F401 - repr is source text
from scenarios.stages import simulated
from sim.faults import *  # noqa: F403 - repr is source text
from sim.moments import Moment  # noqa: F401

TABLE = {
    (user, asset): (delta, avail)
    for user in (1001, 1002, 1003)
    for asset, delta, avail in (
        (1, 1000000000000, 1010000000000),
        (2, 100000000000000, 1100000000000000),
        (3, 10000000000000, 10000000000000),
    )
}

# A seed on which each planted bug shows, found by `wavetank controls`.
SHOWS = {
    "a1_new_id_per_attempt": range(1, 6),
    "a5_keys_forgotten": range(1, 10),
    "a7_answered_before_durable": range(1, 2),
    "answered_after_the_commit": range(1, 2),
    "k14_one_offset_too_far": range(1, 2),
    "fees_swapped": range(1, 2),
    "reason_of_another": range(1, 2),
    "k1_auto_commit": range(1, 10),
    "k3_position_apart": range(1, 6),
    "k5_mark_despite_failure": range(1, 2),
    "k6_resent_as_new": range(1, 2),
    "k4_lost_send": range(1, 3),
    "lost_send": range(1, 2),
    "k13_zombie_without_timestamp": range(1, 3),
    "maker_loses_its_place": range(5, 6),
    "checksums_unchecked": range(7, 8),
    "formats_ignored": range(1, 2),
    "k7_retries_reorder": range(1, 2),
    "gaps_passed_over": range(1, 2),
    "k2_reset_to_latest": range(1, 2),
    "page_border_lost": range(1, 2),
    "s14_timeout_is_a_success": range(2, 4),
    "s16_batch_taken_as_atomic": range(1, 2),
    "s1_commit_before_write": range(1, 2),
    "s2_gap_is_a_beginning": range(1, 3),
    "s3_highest_is_the_mark": range(2, 3),
    "s5_seq_from_clock": range(1, 3),
    "s8_read_add_write": range(1, 2),
    "s9_consistency_one": range(1, 3),
    "s7_batch_dropped": range(1, 10),
    "snapshot_before_acknowledgement": range(4, 5),
    "t3_backlog_refused": range(1, 2),
    "t3_horizon_of_seconds": range(1, 2),
    "t5_epoch_from_clock": range(1, 2),
    "w10_torn_tail_left": range(1, 2),
    "w18_log_never_read": range(1, 6),
    "w19_withdrawals_unlogged": range(1, 6),
    "w20_rejected_replayed": range(1, 2),
    "w38_opened_with_truncate": range(1, 2),
    "w30_later_frames_acknowledged": range(1, 2),
    "w5_sync_tried_again": range(1, 2),
    "w8_no_directory_sync": range(1, 2),
    "w6_page_cache_trusted": range(1, 2),
    "w23_snapshot_not_synced": range(1, 2),
}


@pytest.mark.parametrize("name", catalog.names())
def test_every_entry_is_a_scenario_with_a_story(name: str) -> None:
    scenario = catalog.find(name)

    assert isinstance(scenario, Scenario)
    assert scenario.name == name
    assert scenario.story.strip().endswith(".")
    assert scenario.expect if name in controls.names() else not scenario.expect


@pytest.mark.parametrize("name", [name for name in catalog.names() if name not in controls.names()])
def test_a_plan_is_source_text_and_the_same_for_the_same_seed(name: str) -> None:
    scenario = catalog.find(name)
    for seed in range(8):
        plan = scenario.plan_of(seed)
        assert eval(repr(plan)) == plan == scenario.plan_of(seed)


def test_nine_deposits_reach_the_ledger() -> None:
    run = simulated.run(catalog.find("nine_deposits"), 1)

    assert run.result.verdict == "held"
    assert [hop.count for hop in run.judgement.statement.hops] == [9] * 5


def test_the_writeup_equals_its_table_to_the_last_digit() -> None:
    run = simulated.run(catalog.find("writeup"), 3)

    newest: dict[tuple[int, int], Row] = {}
    for row in run.evidence.rows:
        newest[row.user_id, row.asset_id] = row
    shown = {key: (row.delta_avail, row.avail) for key, row in newest.items()}
    assert run.result.verdict == "held"
    assert shown == TABLE


def test_a_lost_send_is_caught_at_the_hop_where_nine_events_vanished() -> None:
    run = simulated.run(catalog.find("lost_send"), 1)

    assert run.result.verdict == "broken"
    assert "I3" in {found.invariant for found in run.result.breaks}
    assert [hop.count for hop in run.judgement.statement.hops] == [9, 9, 9, 0, 0]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_torn_append_is_survived_and_its_bytes_are_named(seed: int) -> None:
    run = simulated.run(catalog.find("torn_append"), seed)

    (receipt,) = run.evidence.faults
    assert run.result.verdict == "held"
    assert "bytes written" in str(receipt.effects["torn"])
    assert receipt.damage
    (torn,) = receipt.damage
    assert torn.length == len(torn.expected) > 0
    assert torn.before
    assert not torn.found
    (said,) = (line.text for line in run.evidence.lines if "torn_tail" in line.text)
    assert f'"offset":{torn.offset - len(torn.before)},"bytes":{len(torn.before)}' in said
    page = html.page(run.judgement)
    assert f"{torn.offset:08x}  {torn.expected[:16].hex(' ')}" in page
    assert "torn log tail" in run.result.reached


def test_a_rotten_log_ends_in_a_halt_that_is_owed() -> None:
    run = simulated.run(catalog.find("rotten_log"), 1)

    assert run.result.verdict == "held"
    assert run.judgement.excused
    assert run.result.halts == ("ubscore-1: log_damaged",)
    (rot,) = run.evidence.faults[0].damage
    assert len(rot.expected) == len(rot.found) == 1
    assert (rot.expected[0] ^ rot.found[0]).bit_count() == 1
    assert f"{rot.offset:08x}  {rot.found.hex()}" in html.page(run.judgement)


_SETTLING = {("settlement-1", "input_gap"), ("settlement-2", "input_gap")}


@pytest.mark.parametrize(
    ("seed", "stopped"),
    [
        (2, _SETTLING),
        (4, set()),  # sent again
        (5, {("settlement-1", "record_missing"), ("settlement-2", "record_missing")}),
        (6, {("settlement-1", "record_damaged"), ("settlement-2", "record_damaged")}),
        (20, {*_SETTLING, ("ubscore-1", "output_gap")}),  # killed as it heard of the event
    ],
)
def test_a_lost_event_stops_whoever_reads_there(seed: int, stopped: set[tuple[str, str]]) -> None:
    run = simulated.run(catalog.find("event_gap"), seed)

    (lost,) = (damage for receipt in run.evidence.faults for damage in receipt.damage)
    halted = [event for event in run.evidence.processes if event.kind == "halted"]
    assert run.result.verdict == "held", run.result.breaks
    assert {(event.process, event.reason) for event in halted} == stopped
    assert all(lost.file in event.detail for event in halted)


@pytest.mark.parametrize("seed", [1, 2])
def test_failed_syncs_take_nothing_that_was_told(seed: int) -> None:
    run = simulated.run(catalog.find("failed_syncs"), seed)

    assert run.result.verdict == "held", run.result.breaks
    assert {"DiskError(os.fsync)", "PowerLoss(ubscore)"} <= set(run.result.bitten)


@pytest.mark.parametrize("seed", range(1, 13))
def test_chaos_holds(seed: int) -> None:
    run = simulated.run(catalog.find("chaos_deposits"), seed)

    assert run.result.verdict == "held", run.result.breaks
    assert run.result.bitten


@pytest.mark.parametrize("name", SHOWS)
def test_a_planted_bug_is_caught_by_its_invariant(name: str) -> None:
    scenario = catalog.find(name)

    for seed in SHOWS[name]:
        result = simulated.run(scenario, seed).result
        if {found.invariant for found in result.breaks} & set(scenario.expect):
            return
    pytest.fail(f"{name} was not caught by {scenario.expect} on the seeds {SHOWS[name]}")
