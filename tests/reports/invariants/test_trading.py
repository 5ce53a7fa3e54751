"""The checkers against a sound day of trading, and against one deliberate defect at a time."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from reports.invariants import ABOUT_ORDERS
from reports.judge import judge
from system.records import (
    EVENTS,
    OPERATIONS,
    ORDERS,
    OUTPUTS,
    CancelEnded,
    decode_event,
    decode_output,
    encode,
    seal,
)
from system.wal.frames import CommandFrame, EngineFrame, OrderFrame
from tests.reports.trading import USDT, Trading, day

change = msgspec.structs.replace


def index(one: Trading, topic: str, number: int = 0) -> int:
    """Return the place of a record of a topic; -1: of the last one."""
    return [i for i, record in enumerate(one.records) if record.topic == topic][number]


def engine_frame(one: Trading, event_type: str) -> int:
    """Return the place of the first frame of an engine output with a leg of this type."""
    return next(
        i
        for i, body in enumerate(one.bodies)
        if isinstance(body, EngineFrame) and any(x.event_type == event_type for x in body.legs)
    )


def without_leg(one: Trading, event_type: str) -> None:
    """Take one leg out of the log, with its event."""
    place = engine_frame(one, event_type)
    frame = one.bodies[place]
    kept = [i for i, leg in enumerate(frame.legs) if leg.event_type != event_type]
    one.bodies[place] = change(
        frame,
        legs=tuple(frame.legs[i] for i in kept),
        outputs=tuple(frame.outputs[i] for i in kept),
    )


def fee_leg_skipped(one: Trading) -> None:
    without_leg(one, "fee")


def improvement_kept(one: Trading) -> None:
    without_leg(one, "unlock")


def debit_left_out(one: Trading) -> None:
    without_leg(one, "trade_debit")


def locked_too_little(one: Trading) -> None:
    place = next(i for i, b in enumerate(one.bodies) if isinstance(b, OrderFrame) and b.legs)
    frame = one.bodies[place]
    (leg,) = frame.legs
    less = change(leg, delta_frozen=leg.delta_frozen - 5, delta_avail=leg.delta_avail + 5)
    one.bodies[place] = change(frame, legs=(less,))


def output_missing(one: Trading) -> None:
    del one.records[index(one, OUTPUTS, 3)]


def output_altered(one: Trading) -> None:
    place = index(one, OUTPUTS, 3)
    value = one.records[place].value or b""
    one.records[place] = change(one.records[place], value=value.replace(b'"paid":', b'"paid":1', 1))


def output_resealed(one: Trading) -> None:
    place = index(one, OUTPUTS, 2)
    output = decode_output(one.records[place].value or b"")
    value, _ = seal(change(output, created_at=output.created_at + 1, hash=""))
    one.records[place] = change(one.records[place], value=value)


def output_altered_after_it_was_applied(one: Trading) -> None:
    place = index(one, OUTPUTS, 1)
    output = decode_output(one.records[place].value or b"")
    value, _ = seal(change(output, created_at=output.created_at + 1, hash=""))
    one.records[place] = change(one.records[place], value=value)


def maker_loses_its_place(one: Trading) -> None:
    place = index(one, OUTPUTS, 1)
    output = decode_output(one.records[place].value or b"")
    (trade,) = output.trades
    maker = change(trade.maker, order_id="f" * 32)
    value, _ = seal(change(output, trades=(change(trade, maker=maker),), hash=""))
    one.records[place] = change(one.records[place], value=value)


def two_contents_under_a_number(one: Trading) -> None:
    output = decode_output(one.records[index(one, OUTPUTS, 1)].value or b"")
    one.append(OUTPUTS, 1, seal(change(output, created_at=1, hash=""))[0])


def settled_another_hash(one: Trading) -> None:
    one.outputs[2] = change(one.outputs[2], hash="0" * 64)


def output_not_settled(one: Trading) -> None:
    del one.outputs[2]


def outcome_committed_before_it_was_durable(one: Trading) -> None:
    """Only the end of the cancel is late: its decision was there in time, in the same row."""
    record = next(
        record
        for record in one.records
        if record.topic == EVENTS and isinstance(decode_event(record.value or b""), CancelEnded)
    )
    ended = decode_event(record.value or b"")
    entry = one.requests[ended.user_id, ended.request_id, ended.body_hash]
    assert entry.durable_ns is not None
    assert entry.outcome_ns is not None
    assert entry.durable_ns < entry.outcome_ns
    one.commit(record, entry.outcome_ns - 1)


def trade_not_shown(one: Trading) -> None:
    del one.trades[-1]


def trade_shown_to_one_of_two(one: Trading) -> None:
    del one.sides[-1]


def fee_shown_wrong(one: Trading) -> None:
    one.sides[0] = change(one.sides[0], fee=one.sides[0].fee + 1)


def trade_shown_that_never_was(one: Trading) -> None:
    one.trades.append(change(one.trades[0], trade_number=one.trades[0].trade_number + 1))


def order_shown_as_it_was_before(one: Trading) -> None:
    earlier = decode_output(one.records[index(one, OUTPUTS, 0)].value or b"")
    (order,) = earlier.orders
    row = one.orders[order.order_id]
    cells = {name: getattr(order, name) for name in ("status", "filled", "remaining", "paid")}
    one.orders[order.order_id] = change(row, output_seq=1, unlocked=order.unlocked, **cells)


def order_shown_as_it_never_was(one: Trading) -> None:
    name, row = next(iter(one.orders.items()))
    one.orders[name] = change(row, remaining=row.remaining + 1)


def _committed_before(one: Trading, at_ns: int | None) -> None:
    """Commit the outputs up to the first with a trade, right before `at_ns`."""
    traded = (r for r in one.records if r.topic == OUTPUTS and b'"trade_id"' in (r.value or b""))
    assert at_ns is not None
    one.commit(next(traded), at_ns - 1)


def trade_committed_before_it_was_durable(one: Trading) -> None:
    one.trades[0] = change(one.trades[0], durable_ns=10**12)
    _committed_before(one, 10**12)


def trade_of_one_of_two_committed_before_it_was_durable(one: Trading) -> None:
    one.sides[1] = change(one.sides[1], durable_ns=10**12)
    _committed_before(one, 10**12)


def order_committed_before_it_was_durable(one: Trading) -> None:
    name, row = next((k, v) for k, v in one.orders.items() if v.output_seq == 2)
    one.orders[name] = change(row, durable_ns=10**12)
    _committed_before(one, 10**12)


def output_never_applied(one: Trading) -> None:
    del one.bodies[engine_frame(one, "trade_debit")]


def applied_but_not_in_kafka(one: Trading) -> None:
    place = index(one, OUTPUTS, -1)
    one.bodies.append(change(one.bodies[engine_frame(one, "unlock")], value=b"{}"))
    assert place


def order_never_matched(one: Trading) -> None:
    del one.records[index(one, OUTPUTS, -1)]


def order_lost_on_its_way(one: Trading) -> None:
    del one.records[index(one, ORDERS, -2)]


def order_out_of_nothing(one: Trading) -> None:
    record = one.records[index(one, ORDERS, 0)]
    one.append(ORDERS, 1, (record.value or b"").replace(b'"n":1,', b'"n":99,'))


def order_in_another_partition(one: Trading) -> None:
    place = index(one, ORDERS, 0)
    one.records[place] = change(one.records[place], partition=one.records[place].partition ^ 1)


def cancel_without_end(one: Trading) -> None:
    key = next(key for key, row in one.requests.items() if row.outcome == "done")
    one.requests[key] = change(one.requests[key], outcome=None)


def unlocked_twice(one: Trading) -> None:
    frame = one.bodies[engine_frame(one, "unlock")]
    one.bodies.append(frame)


def traded_twice_in_the_ledger(one: Trading) -> None:
    row = next(row for row in one.rows if row.event_type == "trade_credit")
    last = max(r.seq for r in one.rows if (r.user_id, r.asset_id) == (row.user_id, row.asset_id))
    one.rows.append(change(row, seq=last + 1))


def fee_row_lost(one: Trading) -> None:
    one.rows.remove([row for row in one.rows if row.event_type == "fee"][-1])


def fee_minted(one: Trading) -> None:
    place = engine_frame(one, "fee")
    frame = one.bodies[place]
    legs = [
        change(leg, delta_avail=leg.delta_avail + 1) if leg.event_type == "fee" else leg
        for leg in frame.legs
    ]
    one.bodies[place] = change(frame, legs=tuple(legs))


def commands_swapped(one: Trading) -> None:
    one.bodies[1:3] = [one.bodies[2], one.bodies[1]]
    first, second = one.bodies[1].input, one.bodies[2].input
    same = change(first, partition=second.partition, offset=second.offset + 9)
    one.bodies[1] = change(one.bodies[1], input=same)


def order_rejected_untruly(one: Trading) -> None:
    place = next(i for i, b in enumerate(one.bodies) if getattr(b, "reason", "") == "unknown_order")
    one.bodies[place] = change(one.bodies[place], reason="order_closed")


def decided_otherwise_than_the_input_says(one: Trading) -> None:
    place = next(i for i, b in enumerate(one.bodies) if isinstance(b, OrderFrame))
    one.bodies[place] = change(one.bodies[place], created_at=one.bodies[place].created_at + 1)


def _with_times(one: Trading, time_ms: int, forget_ms: int) -> None:
    """Move the times of the last command that was decided."""
    place = max(i for i, body in enumerate(one.bodies) if isinstance(body, CommandFrame))
    frame = one.bodies[place]
    one.bodies[place] = change(
        frame, time_ms=frame.time_ms + time_ms, forget_ms=frame.forget_ms + forget_ms
    )


def keys_forgotten_early(one: Trading) -> None:
    _with_times(one, 0, 1)


def keys_forgotten_late(one: Trading) -> None:
    _with_times(one, 0, -1)


def time_of_no_record(one: Trading) -> None:
    _with_times(one, 60_000, 60_000)


def other_fees_than_configured(one: Trading) -> None:
    one.fees_ppm = (1, 2)


def another_effect_shown(one: Trading) -> None:
    key, row = next((key, row) for key, row in one.requests.items() if row.effects)
    assert row.effects is not None
    one.requests[key] = change(row, effects=row.effects.replace('"seq":1', '"seq":2'))


def another_end_of_a_cancel_shown(one: Trading) -> None:
    key, row = next((key, row) for key, row in one.requests.items() if row.outcome == "done")
    one.requests[key] = change(row, outcome="order_closed")


def engine_halts(one: Trading) -> None:
    from reports.evidence import ProcessEvent  # noqa: PLC0415 - as seen by one test alone

    one.processes.append(
        ProcessEvent(
            at_ns=one.now, process="engine-1", incarnation=1, kind="halted", reason="output_differs"
        )
    )


DEFECTS: tuple[tuple[str, str, Callable[[Trading], None]], ...] = (
    ("I1", "FILL_NOT_CONSERVED", fee_leg_skipped),
    ("I1", "FILL_NOT_CONSERVED", fee_minted),
    ("I1", "NOT_CONSERVED", fee_row_lost),
    ("R", "NOT_SETTLED", fee_row_lost),
    ("R", "NOT_APPLIED", output_never_applied),
    ("R", "DUPLICATE", traded_twice_in_the_ledger),
    ("R", "ORPHAN", order_lost_on_its_way),
    ("I3", "CANCEL_OPEN", cancel_without_end),
    ("I4", "APPLIED_TWICE", unlocked_twice),
    ("I4", "SETTLED_TWICE", traded_twice_in_the_ledger),
    ("I5", "EVENT_WITHOUT_ROW", fee_row_lost),
    ("I8", "NOT_THE_REFERENCE", maker_loses_its_place),
    ("I8", "DECIDED_OUT_OF_ORDER", commands_swapped),
    ("I8", "HOLE_LEFT", order_out_of_nothing),
    ("I9", "OUTPUT_MISSING", output_missing),
    ("I9", "NOT_SEALED", output_altered),
    ("I9", "CHAIN_BROKEN", output_resealed),
    ("I9", "TWO_CONTENTS", two_contents_under_a_number),
    ("I9", "APPLIED_OTHERWISE", output_altered_after_it_was_applied),
    ("I9", "ROW_NOT_THE_ENGINES", settled_another_hash),
    ("I9", "NOT_SETTLED", output_not_settled),
    ("I9", "NOT_SETTLED", trade_not_shown),
    ("I9", "NOT_SETTLED", trade_shown_to_one_of_two),
    ("I9", "NOT_SETTLED", order_shown_as_it_was_before),
    ("I9", "ROW_NOT_THE_ENGINES", fee_shown_wrong),
    ("I9", "ROW_NOT_THE_ENGINES", trade_shown_that_never_was),
    ("I9", "ROW_NOT_THE_ENGINES", order_shown_as_it_never_was),
    ("I10", "FROZEN_DIFFERS", improvement_kept),
    ("I10", "FROZEN_DIFFERS", locked_too_little),
    ("I11", "REPLAY_DIFFERS", output_resealed),
    ("I11", "FRAME_DIFFERS", decided_otherwise_than_the_input_says),
    ("I11", "FRAME_DIFFERS", improvement_kept),
    ("I12", "COMMIT_AHEAD", outcome_committed_before_it_was_durable),
    ("I12", "COMMIT_AHEAD", trade_committed_before_it_was_durable),
    ("I12", "COMMIT_AHEAD", trade_of_one_of_two_committed_before_it_was_durable),
    ("I12", "COMMIT_AHEAD", order_committed_before_it_was_durable),
    ("I13", "REASON_UNTRUE", order_rejected_untruly),
    ("I13", "FORGOTTEN_EARLY", keys_forgotten_early),
    ("I13", "FORGOTTEN_LATE", keys_forgotten_late),
    ("I13", "TIME_UNTRUE", time_of_no_record),
    ("I13", "FEES_DIFFER", other_fees_than_configured),
    ("I13", "ANSWER_DIFFERS", another_effect_shown),
    ("I13", "ANSWER_DIFFERS", another_end_of_a_cancel_shown),
    ("I14", "NOT_MATCHED", order_never_matched),
    ("I14", "STUCK", cancel_without_end),
    ("I14", "UNOWED_HALT", engine_halts),
    ("I16", "TORN_FILL", debit_left_out),
    ("I16", "FILL_LEFT_OUT", output_never_applied),
    ("I17", "NOT_IN_TOPIC", applied_but_not_in_kafka),
    ("I17", "NOT_IN_LOG", order_out_of_nothing),
    ("I18", "WRONG_PARTITION", order_in_another_partition),
)


@pytest.mark.parametrize(("invariant", "code", "defect"), DEFECTS)
def test_a_deliberate_defect_is_caught_by_its_invariant(
    invariant: str, code: str, defect: Callable[[Trading], None]
) -> None:
    one = day()
    defect(one)
    judgement = judge(one.evidence())
    codes = {b.code for b in judgement.breaks if b.invariant == invariant}
    assert code in codes, [str(b)[:200] for b in judgement.breaks]
    assert not [c.error for c in judgement.checks if c.error]
    assert all(str(b) for b in judgement.breaks)


def test_a_sound_day_yields_no_break_and_every_invariant_about_orders_looks_at_something() -> None:
    judgement = judge(day().evidence())
    assert [str(b)[:300] for b in judgement.breaks] == []
    checked = {check.invariant: check.checked for check in judgement.checks}
    assert all(checked[name] > 0 for name in ABOUT_ORDERS)
    assert checked["I11"] > 0


def test_every_invariant_about_orders_has_a_defect_that_breaks_it() -> None:
    assert {*ABOUT_ORDERS, "I11"} <= {invariant for invariant, _, _ in DEFECTS}


def test_what_a_day_must_contain_is_in_it() -> None:
    one = day()
    types = {row.event_type for row in one.rows}
    outcomes = {row.outcome for row in one.requests.values()}
    values = b"".join(r.value or b"" for r in one.records if r.topic == OUTPUTS)
    assert types >= {"deposit", "lock", "unlock", "trade_debit", "trade_credit", "fee", "withdraw"}
    assert {"done", "order_closed"} <= outcomes
    assert all(word in values for word in (b'"self_trade"', b'"ioc"', b'"requested"'))
    assert {r.topic for r in one.records} == {OPERATIONS, ORDERS, OUTPUTS, EVENTS}
    assert sum(row.user_id == 1 and row.asset_id == USDT for row in one.rows) >= 2


def rebuilt(one: Trading, **more: Any) -> Any:
    """Return the verdict over other evidence of the same run."""
    return judge(change(one.evidence(), **more))


def test_a_copy_of_an_output_is_no_break() -> None:
    one = day()
    record = one.records[index(one, OUTPUTS, 1)]
    one.append(OUTPUTS, 1, record.value or b"")
    assert rebuilt(one).breaks == ()
    assert encode(decode_output(record.value or b"")) == record.value
