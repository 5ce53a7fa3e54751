"""The life of an order: everything that happened to it is told once, in order, and adds up."""

from typing import Any

import pytest

from reports.case import Case
from reports.judge import judge
from reports.orders import Life, lives
from reports.pages import html, orders
from system.records import ORDERS
from tests.reports.trading import BTC, USDT, Trading

PRICE = 50 * 10**8


def traded() -> tuple[Trading, dict[str, str]]:
    """A sale that is filled in part by an IOC buyer, then cancelled; and one that is too dear."""
    day = Trading()
    day.deposit(1001, USDT, 10**13)
    day.deposit(1002, BTC, 10**10)
    ids = {
        "sale": day.order(1002, "sell", PRICE, 3),
        "buy": day.order(1001, "buy", PRICE, 2, ioc=True),
        "dear": day.order(1001, "buy", PRICE, 10**6),
    }
    day.cancel(1002, ids["sale"])
    return day, ids


@pytest.fixture(scope="module")
def told() -> dict[str, Life]:
    day, ids = traded()
    found = {life.command.order_id: life for life in lives(Case(day.evidence()))}
    assert list(found) == [ids["sale"], ids["buy"], ids["dear"]]
    return {name: found[order_id] for name, order_id in ids.items()}


def steps(life: Life) -> list[str]:
    return [moment.what for moment in life.moments]


def test_an_order_is_followed_from_its_request_to_its_rows(told: dict[str, Life]) -> None:
    life = told["sale"]

    assert [w for w in steps(life) if w != "row"] == [
        *("asked", "decided", "to engine", "matched"),  # placed
        *("matched", "applied"),  # filled in part
        *("asked", "decided", "to engine", "matched", "applied"),  # cancelled
    ]
    rows = [m.text.partition(":")[0] for m in life.moments if m.what == "row"]
    assert sorted(rows) == ["lock", "trade_credit", "trade_debit", "unlock"]
    assert life.status == "cancelled: requested"


def test_what_was_locked_was_paid_or_released(told: dict[str, Life]) -> None:
    for name in ("sale", "buy"):
        life = told[name]
        assert life.last is not None
        assert life.locked == life.last.paid + life.last.unlocked > 0
        assert life.received > 0
        assert life.fees > 0


def test_an_order_that_is_refused_ends_with_its_reason(told: dict[str, Life]) -> None:
    life = told["dear"]

    assert steps(life) == ["asked", "decided"]
    assert life.status == "rejected: insufficient_balance"
    assert (life.locked, life.last) == (0, None)


def test_copies_are_not_told_twice() -> None:
    day, _ = traded()
    before = lives(Case(day.evidence()))
    for record in [r for r in day.records if r.topic in (ORDERS, "engine.outputs")]:
        day.append(record.topic, int(record.key or b""), record.value or b"")

    after = lives(Case(day.evidence()))

    assert [steps(life) for life in after] == [steps(life) for life in before]


def test_both_tables_are_in_the_csv_and_on_the_page() -> None:
    day, ids = traded()
    found = judge(day.evidence())

    files = orders.csv_files(lives(found.case), found.statement.trading)
    page = html.page(found, folder="runs/x/1")
    assert files.keys() == {"orders.csv", "order_lives.csv", "order_changes.csv"}
    assert b"unlock,BTC," in files["order_changes.csv"]
    assert all(one in files["orders.csv"].decode() for one in ids.values())
    assert '<section id="orders">' in page
    assert "wavetank trace-money runs/x/1 --user 1001 --asset BTC" in page


def test_a_run_without_orders_has_no_such_tables() -> None:
    day = Trading()
    day.deposit(1001, USDT, 5)
    found: Any = judge(day.evidence())

    assert orders.csv_files(lives(found.case)) == {}
    assert '<section id="orders">' not in html.page(found)
