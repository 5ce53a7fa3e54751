"""Reconciling orders: sound days hold at every cut, damages are found, named and add up."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.live.outcome import Outcome
from reports.live.sources import Bounds
from reports.pages import live as pages
from system.chain import Link
from system.records import EVENTS, ORDERS, OUTPUTS, decode_output, seal
from system.wal.frames import EngineFrame, OrderFrame
from tests.reports.build import PARTITIONS
from tests.reports.invariants import test_trading as defects
from tests.reports.live.traded import Traded
from tests.reports.trading import BTC, USDT, Trading, day

change = msgspec.structs.replace
PRICE = 5 * 10**9


def explained(outcome: Outcome) -> None:
    """Check that the listed parts are the whole difference of every step."""
    assert [step.unexplained for step in outcome.steps if step.unexplained] == []


def codes(outcome: Outcome) -> set[str]:
    return {broken.code for broken in outcome.breaks}


def told(outcome: Outcome) -> list[str]:
    return [str(broken)[:300] for broken in outcome.breaks]


# -- sound ---------------------------------------------------------------------------------------

orders = st.lists(
    st.tuples(
        st.sampled_from([1001, 1002, 1003]),
        st.sampled_from(["buy", "sell"]),
        st.integers(-2, 2),
        st.integers(1, 40),
        st.sampled_from(["gtc", "gtc", "ioc", "cancel"]),
    ),
    min_size=3,
    max_size=14,
)


def traded(drawn: list[tuple[int, Any, int, int, str]]) -> Trading:
    one = Trading()
    for user in (1001, 1002, 1003):
        one.deposit(user, BTC, 10**9)
        one.deposit(user, USDT, 10**13)
    placed: list[tuple[int, str]] = []
    for user, side, away, lots, how in drawn:
        if how == "cancel" and placed:
            one.cancel(*placed[lots % len(placed)])
        else:
            order = one.order(user, side, PRICE + away * 10**8, lots, ioc=how == "ioc")
            placed.append((user, order))
    return one


def test_a_sound_day_holds_and_every_kind_of_change_is_seen_at_all_hops() -> None:
    outcome = Traded(day()).reconcile()

    assert told(outcome) == []
    assert outcome.verdict == "held"
    explained(outcome)
    assert {line.kind for line in outcome.trading} == {
        *("lock", "trade_debit", "trade_credit", "fee", "unlock")
    }
    assert all(len(set(line.sums)) == 1 and line.sums[0] > 0 for line in outcome.trading)
    assert {"I9", "I10"} <= {check.invariant for check in outcome.checks if check.checked}


@given(orders)
@settings(max_examples=40, deadline=None)
def test_whatever_is_traded_holds(drawn: list[tuple[int, Any, int, int, str]]) -> None:
    outcome = Traded(traded(drawn)).reconcile()

    assert told(outcome) == []
    explained(outcome)


def test_copies_of_outputs_and_orders_change_nothing() -> None:
    one = day()
    for topic in (ORDERS, OUTPUTS):
        for record in [r for r in one.records if r.topic == topic][1:4]:
            one.append(topic, int(record.key or b""), record.value or b"")

    outcome = Traded(one).reconcile()

    assert told(outcome) == []


# -- on its way ----------------------------------------------------------------------------------


def waiting(outcome: Outcome) -> dict[str, int]:
    return {
        f"{step.before} -> {step.after}": flight.count
        for step, flight in zip(outcome.steps, outcome.flights, strict=True)
        if flight.count
    }


def test_what_settlement_has_not_committed_is_on_its_way_written_or_not() -> None:
    one = day()
    written = Traded(one, settled_outputs={}).reconcile()
    one.outputs, one.orders, one.trades, one.sides = [], {}, [], []
    absent = Traded(one, settled_outputs={}).reconcile()

    for outcome in (written, absent):
        assert told(outcome) == []
        assert waiting(outcome) == {"engine outputs -> tables of trades and orders": 8}


def test_a_row_newer_than_the_cut_must_have_its_output() -> None:
    one = day()
    one.trades[0] = change(one.trades[0], price=one.trades[0].price + 1)

    outcome = Traded(one, settled_outputs={}).reconcile()

    assert codes(outcome) == {"ROW_NOT_THE_ENGINES"}


def test_an_order_that_moved_on_after_the_cut_is_shown_as_it_is_now() -> None:
    one = day()
    first = dict.fromkeys(range(PARTITIONS), 0)
    for record in one.records:  # the cut lies after the first output: its order is open
        if record.topic == OUTPUTS:
            first[record.partition] = record.offset + 1
            break

    outcome = Traded(one, settled_outputs=first).reconcile()

    assert told(outcome) == []


def test_an_engine_that_is_behind_has_orders_on_their_way_until_they_are_too_old() -> None:
    one = day()
    one.holding = True
    one.order(1002, "buy", PRICE, 3)
    source = Traded(one)

    soon = source.reconcile()
    source.age_ms = 120_000
    late = source.reconcile()

    assert told(soon) == []
    assert waiting(soon) == {"orders topic -> engine outputs": 1}
    assert codes(late) == {"STUCK"}


def test_a_log_that_is_behind_has_outputs_on_their_way() -> None:
    one = day()
    cut = len(one.bodies)  # UBSCore has logged so much; then the engine goes on
    ends = dict(one.offsets)
    one.order(1002, "buy", PRICE, 3)  # finds nothing
    one.order(1003, "sell", PRICE, 3)  # meets it
    source = Traded(one)
    placed = [i for i, body in enumerate(one.bodies) if isinstance(body, OrderFrame) and i >= cut]
    source.lsn_max = placed[-1] + 1
    for p in range(PARTITIONS):  # what the frames after the last order made is not there yet
        source.high[EVENTS, p] = _published_below(one, source.lsn_max, p)
    one.rows = [row for row in one.rows if _logged(one, row, source.lsn_max)]
    source.settled = {p: min(ends.get((EVENTS, p), 0), source.high[EVENTS, p]) for p in range(4)}

    outcome = source.reconcile()

    assert told(outcome) == []
    assert waiting(outcome)["engine outputs -> decisions log"] == 6
    explained(outcome)


def _published_below(one: Trading, lsn: int, partition: int) -> int:
    return sum(
        output.topic == EVENTS and output.partition == partition
        for body in one.bodies[:lsn]
        for output in getattr(body, "outputs", ())
    )


def _logged(one: Trading, row: Any, lsn: int) -> bool:
    return any(
        (leg.user_id, leg.asset_id, leg.seq) == (row.user_id, row.asset_id, row.seq)
        for body in one.bodies[:lsn]
        for leg in getattr(body, "legs", ())
    )


# -- damages -------------------------------------------------------------------------------------


def output_never_applied_and_forgotten(one: Trading) -> None:
    """Leave a fill out of the log, and everything that it made out of topic and ledger."""
    place = defects.engine_frame(one, "trade_debit")
    body = one.bodies.pop(place)
    gone = {output.value for output in body.outputs}
    one.records = [record for record in one.records if record.value not in gone]


def order_told_otherwise(one: Trading) -> None:
    place = defects.index(one, ORDERS, 1)
    value = one.records[place].value or b""
    one.records[place] = change(one.records[place], value=value.replace(b'"n":2', b'"n":2 '))


def output_answers_another_order(one: Trading) -> None:
    place = defects.index(one, OUTPUTS, -1)
    output = decode_output(one.records[place].value or b"")
    value, _ = seal(change(output, order_id="e" * 32, hash=""))
    one.records[place] = change(one.records[place], value=value)


def fill_minted_by_the_engine(one: Trading) -> None:
    place = defects.index(one, OUTPUTS, 1)
    output = decode_output(one.records[place].value or b"")
    (trade,) = output.trades
    taker = change(trade.taker, received=trade.taker.received + 7)
    value, _ = seal(change(output, trades=(change(trade, taker=taker),), hash=""))
    one.records[place] = change(one.records[place], value=value)


def cancel_said_to_have_ended_otherwise(one: Trading) -> None:
    key = next(key for key, row in one.requests.items() if row.outcome == "done")
    one.requests[key] = change(one.requests[key], outcome="order_closed")


Damage = Callable[[Trading], None]
DAMAGES: dict[Damage, set[str]] = {
    defects.fee_leg_skipped: {"LEGS_DIFFER", "KIND_DIFFERS"},
    defects.fee_minted: {"LEGS_DIFFER", "ALTERED", "KIND_DIFFERS"},
    defects.improvement_kept: {"LEGS_DIFFER", "FROZEN_DIFFERS"},
    defects.debit_left_out: {"LEGS_DIFFER"},
    defects.locked_too_little: {"LOCK_DIFFERS", "ALTERED"},
    defects.fee_row_lost: {"NOT_SETTLED", "NOT_CONSERVED"},
    defects.output_never_applied: {"NOT_APPLIED", "FROZEN_DIFFERS"},
    defects.unlocked_twice: {"DUPLICATE", "FROZEN_DIFFERS"},
    defects.traded_twice_in_the_ledger: {"DUPLICATE"},
    defects.order_lost_on_its_way: {"ORPHAN"},
    defects.order_out_of_nothing: {"ORPHAN"},
    defects.order_in_another_partition: {"ORPHAN"},
    defects.output_missing: {"ORPHAN", "ROW_NOT_THE_ENGINES"},
    defects.output_altered: {"NOT_SEALED", "ALTERED"},
    defects.output_resealed: {"CHAIN_BROKEN"},
    defects.two_contents_under_a_number: {"TWO_CONTENTS"},
    defects.output_altered_after_it_was_applied: {"ALTERED", "CHAIN_BROKEN"},
    defects.order_never_matched: {"ORPHAN"},
    defects.settled_another_hash: {"ROW_NOT_THE_ENGINES"},
    defects.output_not_settled: {"NOT_SETTLED"},
    defects.trade_not_shown: {"NOT_SETTLED"},
    defects.trade_shown_to_one_of_two: {"NOT_SETTLED"},
    defects.order_shown_as_it_was_before: {"NOT_SETTLED"},
    defects.fee_shown_wrong: {"ROW_NOT_THE_ENGINES"},
    defects.trade_shown_that_never_was: {"ROW_NOT_THE_ENGINES"},
    defects.order_shown_as_it_never_was: {"ROW_NOT_THE_ENGINES"},
    defects.cancel_without_end: {"NOT_ANSWERED"},
    output_never_applied_and_forgotten: {"NOT_APPLIED", "KIND_DIFFERS"},
    order_told_otherwise: {"ALTERED"},
    output_answers_another_order: {"ALTERED"},
    fill_minted_by_the_engine: {"FILL_NOT_CONSERVED"},
    cancel_said_to_have_ended_otherwise: {"ALTERED"},
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_every_damage_is_found_named_and_adds_up(damage: Damage) -> None:
    one = day()
    damage(one)

    outcome = Traded(one).reconcile()

    assert outcome.verdict == "broken"
    assert codes(outcome) >= DAMAGES[damage], told(outcome)
    explained(outcome)


def test_a_hole_in_the_outputs_that_stays_open_is_accused_by_its_age() -> None:
    one = day()
    defects.output_missing(one)
    source = Traded(one)
    source.age_ms = 120_000

    assert "OUTPUT_MISSING" in codes(source.reconcile())


def test_a_commit_of_another_chain_is_accused() -> None:
    source = Traded(day())
    source.links = {1: Link(8, "0" * 64)}

    assert "COMMIT_STATE" in codes(source.reconcile())


def test_without_logs_topics_and_tables_are_still_held_against_each_other() -> None:
    one = day()
    defects.fee_shown_wrong(one)
    source = Traded(one)
    source.logs = {}

    outcome = source.reconcile()

    assert codes(outcome) == {"ROW_NOT_THE_ENGINES"}
    assert any("no log was given" in note for note in outcome.notes)


def test_a_log_that_was_cut_and_topics_that_were_cut_are_compared_from_where_they_begin() -> None:
    whole = Traded(day()).reconcile()
    source = Traded(day())
    source.lsn_min = next(
        i for i, body in enumerate(source.build.bodies) if isinstance(body, EngineFrame)
    )
    cut = source.reconcile()
    retained = Traded(day())
    retained.low = {ORDERS: 3, OUTPUTS: 2}
    later = retained.reconcile()

    assert whole.verdict == "held"
    assert told(cut) == []
    assert any("above LSN 1" in note for note in cut.notes)
    assert told(later) == []


def test_a_symbol_of_which_nothing_is_retained_any_more_is_not_missed() -> None:
    source = Traded(day())
    source.low = {ORDERS: 100, OUTPUTS: 100}

    outcome = source.reconcile()

    assert told(outcome) == []
    assert outcome.reads["outputs"] == 0


def test_only_so_many_rows_are_named() -> None:
    one = day()
    one.trades, one.sides = [], []
    source = Traded(one)
    source.bounds = Bounds(breaks_max=2)

    outcome = source.reconcile()

    assert sum(broken.code == "NOT_SETTLED" for broken in outcome.breaks) == 2
    assert "MORE" in codes(outcome)


# -- pages ---------------------------------------------------------------------------------------


def test_pages_show_what_orders_moved() -> None:
    outcome = Traded(day()).reconcile()

    text = pages.summary(outcome, "an exchange")
    assert "trade_credit BTC" in text
    assert "engine outputs -> decisions log" in text
    shown = msgspec.json.decode(pages.as_json(outcome, "an exchange"))
    assert {line["kind"] for line in shown["orders"]} >= {"lock", "fee"}
    assert b"fee" in pages.csv_files(outcome)["orders.csv"]
    assert "trade_debit" in pages.page(outcome, "an exchange")


def test_a_deployment_without_orders_shows_none() -> None:
    one = Trading()
    one.deposit(1001, BTC, 5)

    outcome = Traded(one).reconcile()

    assert outcome.trading == ()
    assert outcome.aside == ()
    assert "orders topic" not in pages.summary(outcome, "a bank")
