"""Each invariant catches something that no other one does.

Some mistakes are in the programs themselves here, so that a replay by the same programs (I11)
agrees with them: then nothing but the invariant is left to see them. Reconciliation (R) may.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from reports.invariants import CHECKERS
from reports.judge import judge
from system.effects import encode as encode_effects
from system.effects import of
from system.engine.book import Ladder, Order
from system.records import EVENTS, LedgerRow, Withdraw, decode_event, encode
from system.ubscore import decide
from system.ubscore.draft import Draft
from system.ubscore.state import Balance, State
from system.wal.frames import Leg
from tests.reports.build import Build, lively, nine
from tests.reports.invariants import ledger_defects, service_defects, test_trading
from tests.reports.trading import BTC, Trading, day

change = msgspec.structs.replace


# -- programs that are wrong in themselves -------------------------------------------------------


def a_withdrawal_takes_one_unit_less(patch: pytest.MonkeyPatch) -> Trading:
    def effect(draft: Draft, state: State, terms: Any, operation: Any) -> None:
        if isinstance(operation, Withdraw):
            operation = change(operation, amount=operation.amount - 1)
        sound(draft, state, terms, operation)

    sound = decide.effect
    patch.setattr(decide, "effect", effect)
    return day()


def balances_may_fall_below_zero(patch: pytest.MonkeyPatch) -> Trading:
    def leg(self: State, leg: Leg) -> None:
        self.balances[leg.user_id, leg.asset_id] = Balance(leg.avail, leg.frozen, leg.seq)
        self.users.add(leg.user_id)

    patch.setattr(State, "_leg", leg)
    patch.setattr(decide, "refusal", lambda *_: None)
    one = Trading()
    one.deposit(1001, BTC, 10**6)
    one.withdraw(1001, BTC, 10**7)
    return one


def an_event_is_made_twice(patch: pytest.MonkeyPatch) -> Trading:
    def tell(self: Draft, user_id: int, record: Any, **fields: Any) -> None:
        sound(self, user_id, record, **fields)
        if fields.get("event_type") == "deposit":
            sound(self, user_id, record, **fields)

    sound = Draft.tell
    patch.setattr(Draft, "tell", tell)
    one = Trading()
    one.deposit(1001, BTC, 10**6)
    del one.rows[1]  # the second event's row is the first one's, written once more
    return one


def who_comes_last_is_served_first(patch: pytest.MonkeyPatch) -> Trading:
    def add(self: Ladder, order: Order) -> None:
        sound(self, order)
        self.levels[order.price * self.sign].move_to_end(order.order_id, last=False)

    sound = Ladder.add
    patch.setattr(Ladder, "add", add)
    one = Trading()
    for user in (1001, 1002, 1003):
        one.deposit(user, BTC, 10**10)
        one.deposit(user, 2, 10**15)
    one.order(1001, "sell", 10**9, 5)
    one.order(1002, "sell", 10**9, 5)
    one.order(1003, "buy", 10**9, 5)
    return one


def a_deposit_freezes_a_part(patch: pytest.MonkeyPatch) -> Trading:
    def move(self: Draft, kind: Any, account: Any, avail: int, frozen: int, ref: str) -> None:
        part = 5 if kind == "deposit" else 0
        sound(self, kind, account, avail - part, frozen + part, ref)

    sound = Draft.move
    patch.setattr(Draft, "move", move)
    one = Trading()
    one.deposit(1001, BTC, 10**10)
    one.deposit(1001, 2, 10**15)
    one.order(1001, "buy", 10**9, 5)
    return one


# -- evidence that contradicts itself in one thing only ------------------------------------------


def _quiet() -> Build:
    """Return three deposits to each of a few accounts, which nobody looks at."""
    build = nine()
    for amount in (10**8, 10**9):
        build.transfer("transfer_in", 1001, 1, amount)
    return build


def two_mistakes_that_make_up_for_each_other(_: pytest.MonkeyPatch) -> Build:
    build = _quiet()
    frame = build.bodies[-2]
    (leg,), (output,) = frame.legs, frame.outputs
    event = decode_event(output.value)
    assert isinstance(event, LedgerRow)
    event = change(event, avail=leg.avail + 3)
    output = change(output, value=encode(event))
    build.bodies[-2] = change(frame, legs=(change(leg, avail=leg.avail + 3),), outputs=(output,))
    build.rows[-2] = change(build.rows[-2], avail=leg.avail + 3)
    effects = encode_effects((of(event),))
    build.requests[-2] = change(build.requests[-2], effects=effects)
    places = [i for i, record in enumerate(build.records) if record.topic == EVENTS]
    build.records[places[-2]] = change(build.records[places[-2]], value=output.value)
    return build


def a_rejection_is_shown_as_done(_: pytest.MonkeyPatch) -> Build:
    build = lively()
    place = next(i for i, row in enumerate(build.requests) if row.decision == "rejected")
    row = build.requests[place]
    build.requests[place] = change(row, decision="done", reason=None)
    build.answers = [a for a in build.answers if a.request_id != row.request_id]
    return build


def a_rejection_was_rolled_back(_: pytest.MonkeyPatch) -> Build:
    build = nine()
    build.transfer("transfer_out", 1002, 1, 10**14, reason="insufficient_balance")
    rejected = build.bodies.pop()
    build.numbers[rejected.outputs[0].partition] -= 1
    return build


def half_an_effect_so_far(build: Build) -> None:
    service_defects.half_an_effect(build)
    build.commits.clear()  # nobody has said yet that it is done


Make = Callable[[pytest.MonkeyPatch], Build | Trading]


def damaged(defect: Callable[[Any], None], sound: Callable[[], Build | Trading] = lively) -> Make:
    """Return what makes sound evidence and damages it."""

    def make(_: pytest.MonkeyPatch) -> Build | Trading:
        build = sound()
        defect(build)
        return build

    return make


ALONE: dict[str, Make] = {
    "I1": a_withdrawal_takes_one_unit_less,
    "I2": balances_may_fall_below_zero,
    "I3": a_rejection_is_shown_as_done,
    "I4": an_event_is_made_twice,
    "I5": damaged(ledger_defects.overwritten),
    "I6": two_mistakes_that_make_up_for_each_other,
    "I7": damaged(ledger_defects.recovery_forgets),
    "I8": who_comes_last_is_served_first,
    "I9": damaged(test_trading.two_contents_under_a_number, day),
    "I10": a_deposit_freezes_a_part,
    "I11": damaged(test_trading.decided_otherwise_than_the_input_says, day),
    "I12": damaged(ledger_defects.commit_before_the_rows),
    "I13": damaged(ledger_defects.another_reason),
    "I14": damaged(service_defects.halted_for_nothing),
    "I15": damaged(service_defects.read_went_back),
    "I16": damaged(half_an_effect_so_far),
    "I17": a_rejection_was_rolled_back,
    "I18": damaged(service_defects.another_key),
}
# Who else sees it: the replay whatever was logged otherwise than sound programs would have; and
# what is acknowledged is kept end to end (I3) if every hop keeps it, so that some hop sees it, too.
ALSO = {"I6": {"I11"}, "I3": {"I13"}}


@pytest.mark.parametrize("invariant", ALONE)
def test_an_invariant_catches_what_no_other_one_does(
    invariant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {found.invariant for found in judge(ALONE[invariant](monkeypatch).evidence()).breaks}

    allowed = {invariant, "R"} | ALSO.get(invariant, set())
    assert invariant in broken
    assert broken <= allowed


def test_no_invariant_is_left_out() -> None:
    assert set(ALONE) == set(CHECKERS)
