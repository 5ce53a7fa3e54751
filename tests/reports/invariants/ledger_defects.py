"""Deliberate defects of what moves money and what is said of it: each breaks one of I1 to I13."""

from collections.abc import Callable
from typing import Any

import msgspec

from reports.evidence import Commit
from system.records import EVENTS, OPERATIONS, decode_event, encode
from system.wal.frames import EpochFrame
from tests.reports.build import SECOND, Build

Defects = tuple[tuple[str, str, Callable[[Build], None]], ...]  # invariant, code, what does it

change = msgspec.structs.replace


def other(value: bytes, **changes: Any) -> bytes:
    """Return an event with other fields."""
    return encode(change(decode_event(value), **changes))


def last(build: Build, topic: str) -> int:
    """Return the index of the last record of a topic."""
    return max(i for i, record in enumerate(build.records) if record.topic == topic)


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


def told_to_come_back(b: Build, *, after_s: int, retry_after_s: int | None) -> None:
    """Let somebody ask twice, `after_s` apart, and be answered 429."""
    b.transfer("transfer_in", 1001, 1, 10**8, outcome="fail", reach=1)
    attempt = change(b.operations[-1].attempts[0], status=429, retry_after_s=retry_after_s)
    later = change(attempt, invoked_ns=attempt.invoked_ns + after_s * SECOND)
    b.operations[-1] = change(b.operations[-1], attempts=(attempt, later))


def turned_away_without_a_time(b: Build) -> None:
    told_to_come_back(b, after_s=1, retry_after_s=None)


DEFECTS: Defects = (
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
)
