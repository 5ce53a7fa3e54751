"""Trading stories: what they want, how it is asked for, and that they hold."""

import json
import random
from itertools import pairwise

import pytest

from reports.evidence import Operation
from scenarios import catalog, goals, wishes
from scenarios.deployment import Deployment
from scenarios.stages import simulated
from scenarios.stages.logs import whole
from scenarios.trading import Trading
from scenarios.workloads import SECOND, Intent, Order

STORIES = (
    "trading",
    "cancel_races_fill",
    "restart_mid_match",
    "retention_horizon",
    "two_shards",
    "trading_day",
    "snapshots_due",
    "kills_mid_batch",
    "clocks_go_back",
    "full_batches",
)
KEY = "019cadc6-d88c-7fc9-95a1-7e4e771a9148"
ORDER = Order(
    symbol="BTC_USDT",
    side="buy",
    kind="limit",
    time_in_force="gtc",
    price="50000.00",
    quantity="0.010",
)


def test_a_workload_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    drawn = [Trading().intents(random.Random(seed)) for seed in (7, 7, 8)]

    assert drawn[0] == drawn[1] != drawn[2]
    assert {intent.route for intent in drawn[0]} == {
        "transfer_in",
        "transfer_out",
        "place_order",
        "cancel",
    }


def test_a_wish_to_place_an_order_has_its_id_and_what_it_locks() -> None:
    intent = Intent(client="c", at_ns=0, route="place_order", user_id=1001, order=ORDER)

    wish = wishes.of(intent, KEY, {})

    assert (wish.method, wish.path) == ("POST", "/orders")
    assert json.loads(wish.body)["price"] == "50000.00"
    assert (wish.operation.asset_id, wish.operation.amount) == (2, 500 * 10**8)
    assert len(wish.operation.order_id) == 32


def test_a_wish_to_cancel_names_the_order_behind_the_label_or_one_that_never_was() -> None:
    intent = Intent(client="c", at_ns=0, route="cancel", user_id=1001, label="order-1")

    known = wishes.of(intent, KEY, {"order-1": "ab" * 16})
    unknown = wishes.of(intent, KEY, {})

    assert (known.method, known.path) == ("DELETE", f"/orders/{'ab' * 16}")
    assert unknown.path == f"/orders/{wishes.NEVER_PLACED}"
    assert isinstance(known.operation, Operation)


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_trading_story_holds_and_its_orders_are_reconciled(name: str, seed: int) -> None:
    run = simulated.run(catalog.find(name), seed)

    trading = run.judgement.statement.trading
    assert run.result.verdict == "held", run.result.breaks
    assert trading is not None
    assert {line.kind for line in trading.lines} >= {"lock", "trade_debit", "trade_credit", "fee"}
    assert all(line.agrees for line in trading.lines)
    assert {"I8", "I9", "I10", "I11"} <= {check.invariant for check in run.judgement.checks}


@pytest.mark.parametrize("name", STORIES)
def test_the_goals_of_a_story_are_known(name: str) -> None:
    assert set(catalog.find(name).sometimes) <= set(goals.GOALS)


def test_a_program_is_told_the_settings_of_its_role() -> None:
    deployment = Deployment(
        engines=("engine-1",), settings=(("engine", "snapshot_every = 6"), ("ubscore", "batch = 3"))
    )

    assert "snapshot_every = 6\n" in deployment.section("engine-1", "/data")
    assert "batch = 3\n" in deployment.section("ubscore-1", "/data")
    assert deployment.told("gateway") == ""


def test_a_log_that_was_cut_is_whole_with_what_was_deleted_before_its_first_file() -> None:
    first, second = "wal-00000001-0000000000000001.log", "wal-00000002-0000000000000001.log"
    last = "wal-00000003-0000000000000165.log"
    deleted = {first: b"1", second: b"2", "wal-00000002-0000000000000165.log": b"superseded"}

    assert whole({last: b"3"}, deleted) == {first: b"1", second: b"2", last: b"3"}
    assert whole({second: b"2"}, {first: b"1"}) == {second: b"2"}
    assert whole({}, deleted) == {}
    middle = "wal-00000002-0000000000000083.log"
    assert whole({second: b"2", last: b"3"}, {middle: b"4"}) == {
        second: b"2",
        middle: b"4",
        last: b"3",
    }


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_all_who_read_a_lost_or_altered_output_stop_and_say_which_it_is(seed: int) -> None:
    run = simulated.run(catalog.find("engine_gap"), seed)

    (damage,) = [d for fault in run.evidence.faults for d in fault.damage]
    halted = [event for event in run.evidence.processes if event.kind == "halted"]
    assert run.result.verdict == "held", run.result.breaks
    who = {event.process for event in halted} - {"engine-1"}  # it reads them if it was killed
    assert who == {"ubscore-1", "settlement-1", "settlement-2"}
    assert {event.code for event in halted} == {70}
    assert all(damage.file in event.detail for event in halted)
    trading = run.judgement.statement.trading
    assert trading is not None
    assert "✗" not in {line.mark("=", "= but {} wait", "✗") for line in trading.lines}


@pytest.mark.parametrize("seed", [1, 2])
def test_an_upgrade_with_the_readers_first_stops_nobody_and_orders_begin_when_it_is_done(
    seed: int,
) -> None:
    run = simulated.run(catalog.find("upgrade"), seed)

    reasons = {a.reason for op in run.evidence.operations for a in op.attempts}
    orders = [op for op in run.evidence.operations if op.kind == "place_order"]
    assert run.result.verdict == "held", run.result.breaks
    assert run.result.halts == ()
    assert "format_version" in reasons
    assert all(op.outcome == "ok" for op in orders if op.attempts[-1].status == 202)
    assert "partial fill" in run.result.reached


@pytest.mark.parametrize("seed", [1, 3])
def test_who_meets_a_newer_format_than_it_was_told_stops_and_nothing_is_lost(seed: int) -> None:
    run = simulated.run(catalog.find("upgrade_out_of_order"), seed)

    halted = [event for event in run.evidence.processes if event.kind == "halted"]
    assert run.result.verdict == "held", run.result.breaks
    assert halted
    assert all("version" in event.detail and event.code == 70 for event in halted)
    assert not any(run.judgement.case.is_down(event.process) for event in halted)


def test_what_is_refused_under_overload_is_asked_again_when_it_was_told_and_done() -> None:
    run = simulated.run(catalog.find("overload"), 1)

    refused = [
        (op, attempt, later)
        for op in run.evidence.operations
        for attempt, later in pairwise(op.attempts)
        if attempt.status == 429
    ]
    assert run.result.verdict == "held", run.result.breaks
    assert refused
    assert all(later.invoked_ns - (one.returned_ns or 0) >= SECOND for _, one, later in refused)
    assert all(op.outcome == "ok" for op, _, _ in refused)
