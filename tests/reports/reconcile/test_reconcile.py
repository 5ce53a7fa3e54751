"""Reconciliation: whatever is done to whichever hop, the parts add up to the difference."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.case import Case
from reports.evidence import Evidence
from reports.reconcile import Statement, conservation, reconcile
from reports.reconcile.hops import Hop, Item
from reports.reconcile.matching import match
from reports.reconcile.totals import remainder
from system.records import OPERATIONS, LedgerRow, decode_event, decode_transfer, encode
from tests.reports.build import Build, lively, log_files, nine

change = msgspec.structs.replace

harms = st.lists(
    st.tuples(
        st.sampled_from(["operations", "records", "bodies", "rows"]),
        st.sampled_from(["drop", "repeat", "alter", "move"]),
        st.integers(0, 40),
        st.integers(-(10**9), 10**9).filter(bool),
    ),
    max_size=6,
)


def harm(build: Build, where: str, how: str, index: int, amount: int) -> None:
    """Do one thing to one item of one hop."""
    items = getattr(build, where)
    first = 1 if where == "bodies" else 0  # the epoch frame carries no money
    if len(items) <= first:
        return
    index = first + index % (len(items) - first)
    if how == "drop":
        del items[index]
    elif how == "repeat":
        items.append(items[index])
    elif where == "operations":
        altered = {"amount": items[index].amount + amount} if how == "alter" else {"asset_id": 3}
        items[index] = change(items[index], **altered)
    elif where == "rows":
        altered = {"delta_avail": items[index].delta_avail + amount, "seq": items[index].seq + 7}
        altered = altered if how == "alter" else {"asset_id": 2}
        items[index] = change(items[index], **altered)
    elif where == "bodies" and items[index].legs:
        leg = items[index].legs[0]
        altered = {"delta_avail": leg.delta_avail + amount} if how == "alter" else {"asset_id": 1}
        items[index] = change(items[index], legs=(change(leg, **altered),))
    elif where == "records":
        items[index] = alter_record(items[index], how, amount)


def alter_record(record: object, how: str, amount: int) -> object:
    """Return a topic record that says something else."""
    value = record.value  # type: ignore[attr-defined]
    if record.topic == OPERATIONS:  # type: ignore[attr-defined]
        command = decode_transfer(value)
        altered = {"amount": command.amount + abs(amount)} if how == "alter" else {"asset_id": 1}
        return change(record, value=encode(change(command, **altered)))  # type: ignore[type-var]
    event = decode_event(value)
    if isinstance(event, LedgerRow):
        altered = {"delta_avail": event.delta_avail + amount} if how == "alter" else {"asset_id": 2}
        return change(record, value=encode(change(event, **altered)))  # type: ignore[type-var]
    return record


def adds_up(statement: Statement) -> None:
    """Check that the listed parts are the whole difference, in count and every asset."""
    for step, before, after in zip(
        statement.steps, statement.hops, statement.hops[1:], strict=False
    ):
        parts = step.differences
        assert after.count - before.count == sum(part.count for part in parts)
        for asset in statement.assets:
            expected = after.sums.get(asset, 0) - before.sums.get(asset, 0)
            assert expected == sum(part.amount for part in parts if part.asset_id == asset)
        assert step.unexplained == {}


@settings(deadline=None)  # other work may share the machine
@given(harms)
def test_the_difference_between_hops_is_always_exactly_the_listed_parts(
    done: list[tuple[str, str, int, int]],
) -> None:
    build = lively()
    for where, how, index, amount in done:
        harm(build, where, how, index, amount)
    statement = reconcile(Case(build.evidence()))
    adds_up(statement)
    for part in (p for step in statement.steps for p in step.differences):
        assert part.code
        assert part.cause


def test_sound_evidence_reconciles_and_says_what_it_explained() -> None:
    statement = reconcile(Case(lively().evidence()))
    assert statement.clean
    codes = sorted(part.code for step in statement.steps for part in step.differences)
    assert codes == ["INDEFINITE", "REJECTED", "REJECTED"]
    adds_up(statement)


def test_the_hops_of_the_nine_deposits_all_hold_the_same() -> None:
    statement = reconcile(Case(nine().evidence()))
    assert [hop.count for hop in statement.hops] == [9] * 5
    assert all(hop.sums == {1: 3 * 10**12, 2: 3 * 10**14, 3: 3 * 10**13} for hop in statement.hops)
    assert statement.hops[2].ranges == "LSN 2-10"


def test_a_lost_send_names_the_hop_the_frames_and_that_nothing_crashed() -> None:
    statement = reconcile(Case(nine(reach=3).evidence()))
    found = list(statement.breaks())
    assert [b.code for b in found] == ["NOT_PUBLISHED"] * 9
    assert found[0].where == "decisions log -> events topic (LSN 2)"
    assert "LSN 2 was never published" in found[0].cause
    assert "ubscore never went down" in found[0].cause
    assert sum(b.amount for b in found if b.asset_id == 1) == -3 * 10**12
    assert found[0].age_ns is not None
    assert found[0].age_ns > 0


def test_a_crash_in_between_is_named_as_the_cause() -> None:
    build = nine(reach=3)
    build.happens("ubscore-1", "crashed", code=-9)
    found = list(reconcile(Case(build.evidence())).breaks())
    assert "ubscore-1#1 crashed at 1.091 s" in found[-1].cause


def test_the_same_event_sent_twice_is_a_copy_not_an_effect() -> None:
    build = nine()
    build.records.append(change(build.records[-1], offset=build.records[-1].offset + 1))
    statement = reconcile(Case(build.evidence()))
    assert statement.clean
    assert statement.hops[3].copies == 1


def test_a_remainder_that_no_part_explains_is_a_break_of_its_own() -> None:
    item = Item((1, "r", "h"), 1, 5, 1, None, "LSN", 1)
    assert remainder(Hop("a", [item]), Hop("b", []), []) == {1: -5, 0: -1}


@pytest.mark.parametrize("hashed", [True, False])
def test_matching_pairs_what_is_equal_before_what_is_alike(hashed: bool) -> None:
    key = (1, "r", "h")
    one = Item(key, 1, 5, 1, None, "n", 1)
    two = Item(key, 1, 6, 2, None, "n", 2)
    found = match([one], [two, one], hashed=hashed, seq=True)
    assert [(m.kind, m.amount, m.surplus) for m in found] == [("duplicate", 6, 1)]
    found = match([one, two], [two], hashed=hashed, seq=True)
    assert [(m.kind, m.amount, m.surplus) for m in found] == [("missing", -5, -1)]


def test_conservation_adds_up_every_source() -> None:
    btc = conservation(Case(lively().evidence()))[0]
    assert (btc.deposits, btc.withdrawals) == (3 * 10**12 + 10**8, 4 * 10**11)
    assert set(btc.holdings.values()) == {btc.expected}


def test_a_log_that_cannot_be_read_leaves_the_rest_reconciled() -> None:
    evidence: Evidence = nine().evidence()
    files = {name: data[:200] for name, data in log_files([]).items()}
    files = dict.fromkeys(files, b"\xff" * 64)
    damaged = change(evidence, logs=(change(evidence.logs[0], files=files),))
    statement = reconcile(Case(damaged))
    assert statement.hops[2].count == 0
    adds_up(statement)
    assert {b.code for b in statement.breaks()} == {"NOT_DECIDED", "ORPHAN"}


def test_topics_other_than_ours_are_left_alone() -> None:
    build = nine()
    build.records.append(change(build.records[0], topic="somebody.else", value=b"?"))
    assert reconcile(Case(build.evidence())).clean
