"""Reconciling streams: sound histories hold, every damage is found, named and adds up."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.live.outcome import Outcome
from system.records import (
    EVENTS,
    OPERATIONS,
    LedgerRow,
    decode_event,
    decode_operation,
    decode_transfer,
    encode,
)
from system.wal.frames import CommandFrame
from tests.reports.build import Build
from tests.reports.live.memory import Memory

change = msgspec.structs.replace


def adds_up(outcome: Outcome) -> None:
    """Check that the listed parts are the whole difference, in count and every asset."""
    hops = outcome.statement.hops
    for step, before, after in zip(outcome.statement.steps, hops[:-1], hops[1:], strict=True):
        assert step.unexplained == {}
        assert after.count - before.count == sum(part.count for part in step.differences)
        for asset in outcome.assets:
            difference = after.sums.get(asset, 0) - before.sums.get(asset, 0)
            parts = (part.amount for part in step.differences if part.asset_id == asset)
            assert difference == sum(parts)


def codes(outcome: Outcome) -> set[str]:
    return {broken.code for broken in outcome.breaks}


# -- histories -----------------------------------------------------------------------------------

transfers = st.lists(
    st.tuples(
        st.sampled_from([1001, 1002, 1003, 1004]),
        st.sampled_from([1, 2]),
        st.integers(1, 10**9),
        st.sampled_from(["in", "in", "out", "poor", "again", "resent"]),
    ),
    min_size=4,
    max_size=14,
)


def history(drawn: list[tuple[int, int, int, str]]) -> Build:
    """Carry out transfers; `again` is a client's retry, `resent` a record sent twice."""
    build = Build()
    for user in (1001, 1002):
        for asset in (1, 2):
            build.transfer("transfer_in", user, asset, 10**10)
    for user, asset, amount, how in drawn:
        known = build.balances.get((user, asset), (0, 0))[0]
        if how == "out" and known >= amount:
            build.transfer("transfer_out", user, asset, amount)
        elif how == "poor":
            reason: Any = "insufficient_balance" if known else "unknown_account"
            build.transfer("transfer_out", user, asset, known + amount, reason=reason)
        else:
            build.transfer("transfer_in", user, asset, amount)
        if how == "again":
            repeat(build)
        elif how == "resent":
            resend(build)
    return build


def repeat(build: Build) -> None:
    """Have the client send its last request again; UBSCore recognises it."""
    operation = [r for r in build.records if r.topic == OPERATIONS][-1]
    command = decode_operation(operation.value or b"")
    source = build._append(OPERATIONS, command.user_id, operation.value or b"")
    frame = build.bodies[-1]
    where = change(frame.input, offset=source.offset)
    build.bodies.append(change(frame, input=where, decision="duplicate", legs=(), outputs=()))


def resend(build: Build) -> None:
    """Have UBSCore send its last event again: the acknowledgement was lost."""
    event = [r for r in build.records if r.topic == EVENTS][-1]
    key = event.key or b""
    build._append(EVENTS, int(key), event.value or b"")


@given(transfers)
@settings(max_examples=60, deadline=None)
def test_a_sound_history_holds(drawn: list[tuple[int, int, int, str]]) -> None:
    outcome = Memory(history(drawn)).reconcile()

    assert outcome.verdict == "held", [str(b) for b in outcome.breaks]
    adds_up(outcome)


# -- damages -------------------------------------------------------------------------------------

Damage = Callable[[Build, int], bool]  # False: there is nothing it could be done to


def lost_row(build: Build, pick: int) -> bool:
    del build.rows[pick % len(build.rows)]
    return True


def doubled_row(build: Build, pick: int) -> bool:
    row = build.rows[pick % len(build.rows)]
    newest = max(r.seq for r in build.rows if same_account(r, row))
    top = next(r for r in build.rows if same_account(r, row) and r.seq == newest)
    avail = top.avail + row.delta_avail
    build.rows.append(change(row, seq=newest + 1, avail=avail))
    return True


def same_account(one: Any, other: Any) -> bool:
    return bool((one.user_id, one.asset_id) == (other.user_id, other.asset_id))


def altered_row(build: Build, pick: int) -> bool:
    at = pick % len(build.rows)
    build.rows[at] = change(build.rows[at], delta_avail=build.rows[at].delta_avail + 1 + pick)
    return True


def altered_column(build: Build, pick: int) -> bool:
    at = pick % len(build.rows)
    build.rows[at] = change(build.rows[at], created_at=build.rows[at].created_at + 1)
    return True


def swapped_rows(build: Build, pick: int) -> bool:
    row = build.rows[pick % len(build.rows)]
    at = next((i for i, r in enumerate(build.rows) if same_account(r, row) and r is not row), None)
    if at is None:
        return False
    other = build.rows[at]
    build.rows[pick % len(build.rows)] = change(row, seq=other.seq)
    build.rows[at] = change(other, seq=row.seq)
    return True


def row_from_nowhere(build: Build, pick: int) -> bool:
    row = build.rows[pick % len(build.rows)]
    build.rows.append(change(row, user_id=7000 + pick, seq=1, avail=row.delta_avail))
    return True


def records_of(build: Build, topic: str) -> list[Any]:
    return [record for record in build.records if record.topic == topic]


def first_sendings(build: Build) -> list[Any]:
    """Return the events that are no copies and have none."""
    values = [r.value for r in records_of(build, EVENTS)]
    single = [r for r in records_of(build, EVENTS) if values.count(r.value) == 1]
    return [r for r in single if isinstance(decode_event(r.value), LedgerRow)]


def lost_event(build: Build, pick: int) -> bool:
    events = first_sendings(build)
    if not events:
        return False
    build.records.remove(events[pick % len(events)])
    return True


def altered_event(build: Build, pick: int) -> bool:
    events = first_sendings(build)
    if not events:
        return False
    record = events[pick % len(events)]
    event = decode_event(record.value)
    assert isinstance(event, LedgerRow)
    other = encode(change(event, delta_avail=event.delta_avail + 1 + pick))
    build.records[build.records.index(record)] = change(record, value=other)
    return True


def other_event_of_a_number(build: Build, pick: int) -> bool:
    events = first_sendings(build)
    if not events:
        return False
    event = decode_event(events[pick % len(events)].value)
    assert isinstance(event, LedgerRow)
    other = encode(change(event, delta_avail=event.delta_avail + 1 + pick))
    build._append(EVENTS, event.user_id, other)
    return True


def commands(build: Build) -> list[int]:
    return [i for i, body in enumerate(build.bodies) if isinstance(body, CommandFrame)]


def missing_frame(build: Build, pick: int) -> bool:
    """Lose a frame that is not its partition's last: nobody can think it is on its way."""
    frames = commands(build)
    last = {build.bodies[i].input.partition: i for i in frames}
    lossy = [i for i in frames if last[build.bodies[i].input.partition] != i]
    lossy = [i for i in lossy if build.bodies[i].decision == "accepted"]
    if not lossy:
        return False
    del build.bodies[lossy[pick % len(lossy)]]
    return True


def doubled_frame(build: Build, pick: int) -> bool:
    frames = [i for i in commands(build) if build.bodies[i].decision == "accepted"]
    build.bodies.append(build.bodies[frames[pick % len(frames)]])
    return True


def altered_leg(build: Build, pick: int) -> bool:
    frames = [i for i in commands(build) if build.bodies[i].legs]
    at = frames[pick % len(frames)]
    leg = build.bodies[at].legs[0]
    other = change(leg, delta_avail=leg.delta_avail + 1 + pick)
    build.bodies[at] = change(build.bodies[at], legs=(other,))
    return True


def altered_operation(build: Build, pick: int) -> bool:
    record = records_of(build, OPERATIONS)[pick % len(records_of(build, OPERATIONS))]
    command = decode_transfer(record.value)
    other = encode(change(command, amount=command.amount + 1 + pick))
    build.records[build.records.index(record)] = change(record, value=other)
    return True


def lost_operation(build: Build, pick: int) -> bool:
    build.records.remove(records_of(build, OPERATIONS)[pick % len(records_of(build, OPERATIONS))])
    return True


def lost_answer(build: Build, pick: int) -> bool:
    del build.requests[pick % len(build.requests)]
    return True


def untrue_answer(build: Build, pick: int) -> bool:
    at = pick % len(build.requests)
    other = "rejected" if build.requests[at].decision == "done" else "done"
    build.requests[at] = change(build.requests[at], decision=other)
    return True


def answer_from_nowhere(build: Build, pick: int) -> bool:
    row = build.requests[pick % len(build.requests)]
    build.requests.append(change(row, request_id=build.request_id()))
    return True


def unlisted_account(build: Build, pick: int) -> bool:
    del build.accounts[pick % len(build.accounts)]
    return True


DAMAGES: dict[Damage, set[str]] = {
    lost_row: {"NOT_SETTLED"},
    doubled_row: {"DUPLICATE"},
    altered_row: {"ALTERED", "AVAIL_CHAIN"},
    altered_column: {"ALTERED"},
    swapped_rows: {"ALTERED"},
    row_from_nowhere: {"ORPHAN"},
    lost_event: {"NOT_PUBLISHED", "ORPHAN"},
    altered_event: {"ALTERED"},
    other_event_of_a_number: {"DUPLICATE"},
    missing_frame: {"NOT_DECIDED", "ORPHAN"},
    doubled_frame: {"DUPLICATE"},
    altered_leg: {"LEGS_DIFFER", "ALTERED"},
    altered_operation: {"ALTERED"},
    lost_operation: {"ORPHAN"},
    lost_answer: {"NOT_ANSWERED"},
    untrue_answer: {"ALTERED"},
    answer_from_nowhere: {"ORPHAN"},
    unlisted_account: {"NOT_LISTED"},
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@given(transfers, st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_every_damage_is_found_named_and_adds_up(
    damage: Damage, drawn: list[tuple[int, int, int, str]], pick: int
) -> None:
    build = history(drawn)
    if not damage(build, pick):
        return

    outcome = Memory(build).reconcile()

    assert outcome.verdict == "broken"
    assert codes(outcome) >= DAMAGES[damage], [str(b) for b in outcome.breaks]
    adds_up(outcome)


@given(
    transfers, st.lists(st.tuples(st.sampled_from(list(DAMAGES)), st.integers(0, 99)), max_size=4)
)
@settings(max_examples=60, deadline=None)
def test_whatever_is_done_the_parts_add_up(
    drawn: list[tuple[int, int, int, str]], damages: list[tuple[Damage, int]]
) -> None:
    build = history(drawn)
    for damage, pick in damages:
        if build.rows and build.requests and build.accounts and records_of(build, OPERATIONS):
            damage(build, pick)

    outcome = Memory(build).reconcile()

    for step in outcome.statement.steps:
        assert step.unexplained == {}
