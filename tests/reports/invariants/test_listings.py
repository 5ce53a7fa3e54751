"""What clients are shown of orders and trades: sound listings, and one defect at a time."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from reports.evidence import Evidence, Listing, ShownOrder, ShownTrade
from reports.judge import judge
from system.records import OUTPUTS, EngineOutput, decode_output
from system.symbols import BY_ID
from tests.reports.build import MS
from tests.reports.trading import day

change = msgspec.structs.replace

DAY = day().evidence()
PARTIES = ("maker", "taker")
Change = Callable[[Listing], Listing]


def outputs(evidence: Evidence) -> list[EngineOutput]:
    return [decode_output(r.value or b"") for r in evidence.records if r.topic == OUTPUTS]


def order(output: EngineOutput, number: int) -> ShownOrder:
    fields = msgspec.structs.asdict(output.orders[number])
    del fields["user_id"]
    return ShownOrder(symbol_id=output.symbol_id, **fields)


def trade(output: EngineOutput, number: int) -> ShownTrade:
    fields = msgspec.structs.asdict(output.trades[number])
    taker = fields.pop("taker")
    del fields["maker"]
    return ShownTrade(taker_side=taker.side, created_at=output.created_at, **fields)


def shown(evidence: Evidence, upto: int | None = None) -> dict[str, Listing]:
    """Return what each listing shows once the first outputs are settled, newest first."""
    orders: dict[str, dict[str, ShownOrder]] = {}
    trades: dict[str, list[ShownTrade]] = {}
    for output in outputs(evidence)[:upto]:
        for number, state in enumerate(output.orders):
            of_user = orders.setdefault(f"/orders/{state.user_id}", {})
            of_user[state.order_id] = order(output, number)
        there = trades.setdefault(f"/trades/{BY_ID[output.symbol_id].name}", [])
        there += [trade(output, number) for number in range(len(output.trades))]
    newest: Any = lambda one: (one.created_at, one.order_id)  # noqa: E731
    sorted_orders = {p: sorted(o.values(), key=newest, reverse=True) for p, o in orders.items()}
    return {
        **{path: listing(path, orders=tuple(found)) for path, found in sorted_orders.items()},
        **{path: listing(path, trades=tuple(found[::-1])) for path, found in trades.items()},
    }


def listing(path: str, **fields: Any) -> Listing:
    return Listing(client="reader", path=path, invoked_ns=MS, returned_ns=2 * MS, **fields)


def codes(*listings: Listing) -> set[tuple[str, str]]:
    timed = tuple(
        change(one, invoked_ns=(2 * n + 1) * MS, returned_ns=(2 * n + 2) * MS)
        for n, one in enumerate(listings)
    )
    broken = judge(change(DAY, listings=timed)).breaks
    return {(found.invariant, found.code) for found in broken}


def fullest(kind: str) -> Listing:
    return max(
        (one for one in shown(DAY).values() if getattr(one, kind)),
        key=lambda one: len(getattr(one, kind)),
    )


@pytest.mark.parametrize("quiescent", [False, True])
def test_what_the_tables_hold_in_the_end_is_sound(quiescent: bool) -> None:
    assert not codes(*(change(one, quiescent=quiescent) for one in shown(DAY).values()))


def test_every_state_on_the_way_is_sound_and_none_goes_back() -> None:
    steps = range(1, len(outputs(DAY)) + 1)

    assert not codes(*(one for upto in steps for one in shown(DAY, upto).values()))


def test_a_part_of_the_newest_trades_hides_nothing() -> None:
    whole = fullest("trades")

    assert not codes(whole, change(whole, trades=whole.trades[:1], whole=False))


def first_order(**fields: Any) -> Change:
    return lambda one: change(one, orders=(change(one.orders[0], **fields), *one.orders[1:]))


def of_somebody_else(one: Listing) -> Listing:
    others = [o for path, other in shown(DAY).items() if path != one.path for o in other.orders]
    return change(one, orders=(*one.orders, *others[:1]))


def state_never_had(one: Listing) -> Listing:
    """Return a listing with an order that has what two of its states had."""
    states: dict[tuple[int, str], list[ShownOrder]] = {}
    for output in outputs(DAY):
        for number, state in enumerate(output.orders):
            key = state.user_id, state.order_id
            states.setdefault(key, []).append(order(output, number))
    user, (before, after) = next((key[0], p) for key, s in states.items() for p in pairwise(s))
    torn = change(after, filled=before.filled, remaining=before.remaining)
    return change(one, path=f"/orders/{user}", orders=(torn,))


@pytest.mark.parametrize(
    ("kind", "code", "defect"),
    [
        ("orders", "NEVER_TRUE", first_order(paid=12_345)),
        ("orders", "NEVER_TRUE", first_order(order_id="0" * 32)),
        ("orders", "NEVER_TRUE", of_somebody_else),
        ("orders", "NEVER_TRUE", state_never_had),
        ("orders", "SHOWN_TWICE", lambda one: change(one, orders=one.orders[:1] * 2)),
        ("orders", "NOT_IN_ORDER", lambda one: change(one, orders=one.orders[::-1])),
        ("orders", "STALE_AT_REST", lambda one: change(one, orders=one.orders[1:], quiescent=True)),
        (
            "trades",
            "NEVER_TRUE",
            lambda one: change(one, trades=(change(one.trades[0], quantity=1), *one.trades[1:])),
        ),
        ("trades", "HIDDEN", lambda one: change(one, trades=one.trades[:-1])),
        ("trades", "NOT_IN_ORDER", lambda one: change(one, trades=one.trades[::-1])),
        ("trades", "STALE_AT_REST", lambda one: change(one, trades=one.trades[1:], quiescent=True)),
        ("trades", "STALE_AT_REST", lambda one: change(one, trades=(), quiescent=True)),
    ],
)
def test_nobody_but_i15_sees_a_wrong_listing(kind: str, code: str, defect: Change) -> None:
    found = codes(defect(fullest(kind)))

    assert ("I15", code) in found
    assert {invariant for invariant, _ in found} == {"I15"}


@pytest.mark.parametrize("kind", ["orders", "trades"])
def test_a_client_that_is_shown_less_than_before_sees_time_go_back(kind: str) -> None:
    newest = fullest(kind)
    older = next(
        one
        for upto in range(len(outputs(DAY)), 0, -1)
        if (one := shown(DAY, upto).get(newest.path)) != newest
    )
    assert older is not None

    assert codes(older, newest) == set()
    assert codes(newest, older) == {("I15", "WENT_BACK")}
