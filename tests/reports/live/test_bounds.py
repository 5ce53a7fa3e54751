"""Bounded memory and partial sources: what is kept, what is retained, what is not at hand."""

from hypothesis import given, settings
from hypothesis import strategies as st

from reports.live.accounts import Accounts, State
from reports.live.sources import Bounds
from system.records import EVENTS, OPERATIONS
from system.wal.frames import CommandFrame
from tests.reports.build import Build, nine
from tests.reports.live.memory import Memory
from tests.reports.live.test_reconciling import (
    DAMAGES,
    Damage,
    adds_up,
    codes,
    history,
    lost_event,
    lost_row,
    repeat,
    resend,
    transfers,
)

FEW = Bounds(accounts_max=1)


@given(transfers, st.sampled_from(list(DAMAGES)), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_accounts_on_disk_give_what_accounts_in_memory_give(
    drawn: list[tuple[int, int, int, str]], damage: Damage, pick: int
) -> None:
    build = history(drawn)
    damage(build, pick)
    memory = Memory(build)
    there = memory.reconcile()

    memory.bounds = FEW
    spilled = memory.reconcile()

    assert spilled.breaks == there.breaks
    assert spilled.statement == there.statement


def test_accounts_beyond_a_number_go_to_disk_and_come_back_in_order() -> None:
    accounts = Accounts(10)
    for user in range(100, 0, -1):
        accounts.put((user, 1), State(user, avail=-user, frozen=2**70))
    accounts.put((7, 1), State(70))

    found = dict(accounts)

    assert accounts.disk is not None
    assert list(found) == [(user, 1) for user in range(1, 101)]
    assert found[7, 1].seq == 70
    assert (found[8, 1].avail, found[8, 1].frozen) == (-8, 2**63 - 1)
    assert accounts.get((101, 1)) is None
    accounts.close()


def retained(build: Build, low: int) -> Memory:
    """Let both topics forget the first records of every partition."""
    build.records = [r for r in build.records if r.offset >= low]
    memory = Memory(build)
    memory.low = {OPERATIONS: low, EVENTS: low}
    return memory


@given(transfers, st.integers(1, 12))
@settings(max_examples=80, deadline=None)
def test_what_the_topics_no_longer_retain_is_no_break(
    drawn: list[tuple[int, int, int, str]], low: int
) -> None:
    build = history([(user, asset, n, how) for user, asset, n, how in drawn if how != "resent"])

    outcome = retained(build, low).reconcile()

    assert not outcome.breaks, [str(b) for b in outcome.breaks]
    adds_up(outcome)


@given(transfers, st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_a_lost_row_of_a_retained_event_is_found(
    drawn: list[tuple[int, int, int, str]], pick: int
) -> None:
    build = history([(user, asset, n, "in") for user, asset, n, _ in drawn])
    lost_row(build, pick)

    outcome = retained(build, 1).reconcile()

    assert outcome.verdict == "broken"
    adds_up(outcome)


def test_without_a_log_the_rest_is_reconciled_and_the_gap_is_noted() -> None:
    memory = Memory(nine())
    memory.logs = {}

    outcome = memory.reconcile()

    assert outcome.verdict == "held"
    assert [hop.name for hop in outcome.statement.hops] == ["events topic", "ledger rows"]
    assert "no log was given" in outcome.notes[0]


def test_without_a_log_a_lost_event_is_a_gap_in_the_numbers() -> None:
    build = history([(1001, 1, 5, "in")] * 4)
    assert lost_event(build, 3)
    memory = Memory(build)
    memory.logs = {}

    outcome = memory.reconcile()

    assert codes(outcome) >= {"GAP", "ORPHAN"}
    adds_up(outcome)


def test_a_log_of_some_partitions_reconciles_those() -> None:
    build = nine()
    memory = Memory(build)
    homes = sorted({r.partition for r in build.records})
    memory.logs = {1: tuple(homes[:1])}
    build.bodies = [
        b for b in build.bodies if not isinstance(b, CommandFrame) or b.input.partition == homes[0]
    ]

    outcome = memory.reconcile()

    assert outcome.verdict == "held", [str(b) for b in outcome.breaks]
    assert any("were not given" in note for note in outcome.notes)
    adds_up(outcome)


def test_nothing_to_reconcile_is_unknown() -> None:
    outcome = Memory(Build()).reconcile()

    assert outcome.verdict == "unknown"
    assert "nothing to reconcile" in outcome.unknown[0]


def test_more_breaks_than_are_listed_are_summed_up() -> None:
    build = history([(1001, 1, 5, "in")] * 10)
    rows = [r for r in build.rows if (r.user_id, r.asset_id) == (1001, 1)]
    build.rows = [r for r in build.rows if r not in rows[1:]]
    memory = Memory(build)
    memory.bounds = Bounds(breaks_max=3)

    outcome = memory.reconcile()

    settled = outcome.statement.steps[-1].differences
    assert sum(part.count for part in settled) == -10
    assert len([part for part in settled if part.code == "NOT_SETTLED"]) == 4
    assert any("7 more" in part.place for part in settled)
    adds_up(outcome)


def test_retries_and_resends_are_copies_not_effects() -> None:
    build = nine()
    repeat(build)
    resend(build)

    outcome = Memory(build).reconcile()

    assert outcome.verdict == "held"
    assert [hop.count for hop in outcome.statement.hops] == [9, 9, 9, 9]
    assert [hop.copies for hop in outcome.statement.hops] == [1, 0, 1, 0]


def test_metadata_that_contradicts_its_offset_is_found() -> None:
    memory = Memory(nine())
    (partition, *_) = sorted({r.partition for r in memory.build.records})
    memory.metadata = {partition: {1: 2}}
    assert codes(memory.reconcile()) == {"COMMIT_STATE"}

    memory.metadata = {partition: None}
    assert codes(memory.reconcile()) == {"COMMIT_STATE"}
