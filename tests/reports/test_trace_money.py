"""The trace of one account's money: every hop in order, and the moment of a loss."""

import msgspec

from reports.judge import judge
from reports.trace_money import page, trace
from tests.reports.trading import USDT, day


def test_every_change_of_an_account_is_told_at_every_hop_in_order_of_time() -> None:
    one = day()
    account = (1002, USDT)
    moments = trace(judge(one.evidence()), account)

    rows = [row for row in one.rows if (row.user_id, row.asset_id) == account]
    for what in ("frame", "row"):
        assert [m.seq for m in moments if m.what == what] == [row.seq for row in rows]
    times = [m.at_ns for m in moments if m.at_ns is not None]
    assert times == sorted(times)
    assert {"lock", "trade_debit", "unlock"} <= {m.text.split()[0].rstrip(":") for m in moments}


def test_what_follows_from_something_stands_below_it_whatever_their_clocks_say() -> None:
    one = day()
    one.rows = [msgspec.structs.replace(row, durable_ns=1) for row in one.rows]
    moments = trace(judge(one.evidence()), (1002, USDT))

    places = [m.place for m in moments]
    assert {m.what for m in moments if m.after in places} == {"frame", "message", "row"}
    assert all(places.index(m.after) < places.index(m.place) for m in moments if m.after in places)


def test_columns_are_named() -> None:
    heads = page(judge(day().evidence()), (1002, USDT)).splitlines()[2]

    assert heads.split()[:4] == ["at", "seq", "available", "frozen"]


def test_the_moment_of_a_loss_is_named() -> None:
    one = day()
    lost = [row for row in one.rows if row.user_id == 1002 and row.event_type == "deposit"][-1]
    one.rows.remove(lost)
    text = page(judge(one.evidence()), (lost.user_id, lost.asset_id))

    assert "  lost: 10,000,000.00000000 at " in text
    assert "EVENT_WITHOUT_ROW" in text


def test_an_account_that_nothing_moved_is_said_to_be_one() -> None:
    text = page(judge(day().evidence()), (4242, USDT))

    assert "nothing moved this account" in text
    assert "no break is about this account" in text
