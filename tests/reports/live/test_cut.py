"""The cut: whatever is on its way when it is taken is listed, is no break, and grows old."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.live.sources import Bounds
from system.records import EVENTS, OPERATIONS, LedgerRow, decode_event
from system.wal.frames import CommandFrame
from tests.reports.build import PARTITIONS, Build, nine
from tests.reports.live.memory import Memory
from tests.reports.live.test_reconciling import adds_up, codes, history, transfers

change = msgspec.structs.replace


def interleaved(build: Build, data: st.DataObject) -> Memory:
    """Look at a history while it happens: each hop has come as far as `data` says."""
    memory = Memory(build)
    ends = {p: build.offsets.get((EVENTS, p), 0) for p in range(PARTITIONS)}
    high = {p: data.draw(st.integers(0, ends[p]), "events at the cut") for p in ends}
    memory.settled = {p: data.draw(st.integers(0, high[p]), "committed") for p in ends}
    written = {p: data.draw(st.integers(memory.settled[p], ends[p]), "written") for p in ends}
    told = {p: data.draw(st.integers(memory.settled[p], written[p]), "told") for p in ends}
    memory.later = ends
    for p in ends:
        memory.high[EVENTS, p] = high[p]
    keep_tables(build, written, told)
    keep_upstream(build, memory, data)
    return memory


def keep_tables(build: Build, written: dict[int, int], told: dict[int, int]) -> None:
    """Keep the rows of events below `written`, and the answers of those below `told`."""
    events = [(r, decode_event(r.value or b"")) for r in build.records if r.topic == EVENTS]
    there = {
        (event.user_id, event.asset_id, event.seq)
        for record, event in events
        if isinstance(event, LedgerRow) and record.offset < written[record.partition]
    }
    answered = {
        (event.user_id, event.request_id)
        for record, event in events
        if record.offset < told[record.partition]
    }
    build.rows = [r for r in build.rows if (r.user_id, r.asset_id, r.seq) in there]
    build.requests = [r for r in build.requests if (r.user_id, r.request_id) in answered]


def keep_upstream(build: Build, memory: Memory, data: st.DataObject) -> None:
    """Cut the log behind what is published, and the operations behind what is decided."""
    published = {
        (r.partition, decode_event(r.value or b"").n)
        for r in build.records
        if r.topic == EVENTS and r.offset < memory.high[EVENTS, r.partition]
    }
    frames = [(lsn, b) for lsn, b in enumerate(build.bodies, 1) if isinstance(b, CommandFrame)]
    least = max(
        (lsn for lsn, b in frames if {(o.partition, o.n) for o in b.outputs} & published),
        default=0,
    )
    memory.lsn_max = data.draw(st.integers(least, len(build.bodies)), "LSN at the cut")
    for p in range(PARTITIONS):
        decided = [
            b.input.offset + 1
            for lsn, b in frames
            if b.input.partition == p and lsn <= memory.lsn_max
        ]
        ends = build.offsets.get((OPERATIONS, p), 0)
        low = max(decided, default=0)
        memory.high[OPERATIONS, p] = data.draw(st.integers(low, ends), "operations at the cut")


@given(transfers, st.data())
@settings(max_examples=150, deadline=None)
def test_work_on_its_way_is_no_break(
    drawn: list[tuple[int, int, int, str]], data: st.DataObject
) -> None:
    memory = interleaved(history(drawn), data)

    outcome = memory.reconcile()

    assert not outcome.breaks, [str(b) for b in outcome.breaks]
    adds_up(outcome)


@given(transfers, st.data())
@settings(max_examples=60, deadline=None)
def test_work_on_its_way_for_too_long_is_stuck(
    drawn: list[tuple[int, int, int, str]], data: st.DataObject
) -> None:
    memory = interleaved(history(drawn), data)
    waiting = sum(flight.count for flight in memory.reconcile().flights)
    memory.age_ms = 120_000

    outcome = memory.reconcile()

    stuck = [b for b in outcome.breaks if b.code == "STUCK"]
    assert (codes(outcome) == {"STUCK"}) == (waiting > 0)
    assert len(stuck) >= waiting
    assert all(b.age_ns and b.age_ns > 60 * 10**9 for b in stuck)
    adds_up(outcome)


@given(transfers, st.data(), st.integers(0, 1000))
@settings(max_examples=100, deadline=None)
def test_a_newer_row_that_no_event_explains_is_found(
    drawn: list[tuple[int, int, int, str]], data: st.DataObject, pick: int
) -> None:
    build = history(drawn)
    memory = interleaved(build, data)
    if not build.rows:
        return
    row = build.rows[pick % len(build.rows)]
    top = max(
        (r for r in build.rows if (r.user_id, r.asset_id) == (row.user_id, row.asset_id)),
        key=lambda r: r.seq,
    )
    avail = top.avail + 5
    build.rows.append(
        change(top, seq=top.seq + 1, delta_avail=5, avail=avail, delta_frozen=0, ref_id="nobody")
    )

    outcome = memory.reconcile()

    assert codes(outcome) & {"ORPHAN", "ALTERED"}
    adds_up(outcome)


def ends_of(build: Build) -> dict[int, int]:
    return {p: build.offsets.get((EVENTS, p), 0) for p in range(PARTITIONS)}


def test_what_is_on_its_way_is_counted_by_hop_with_amount_and_age() -> None:
    build = nine()
    build.transfer("transfer_in", 1001, 1, 500, reach=2)
    build.transfer("transfer_in", 1002, 2, 600, reach=3)
    memory = Memory(build, settled=ends_of(build))
    memory.age_ms = 1000

    outcome = memory.reconcile()

    asked, sent, settled = outcome.flights
    assert (asked.count, asked.sums) == (1, {1: 500})
    assert (sent.count, sent.sums) == (1, {2: 600})
    assert (settled.count, settled.sums) == (0, {})
    assert outcome.cut.at_ms - (asked.oldest_ms or 0) == 1000 + 10
    assert outcome.verdict == "held"


def test_the_bound_on_age_is_the_callers() -> None:
    build = nine()
    build.transfer("transfer_in", 1001, 1, 500, reach=2)
    memory = Memory(build, settled=ends_of(build))
    memory.age_ms = 3_000
    memory.bounds = Bounds(max_age_ms=2_000)

    outcome = memory.reconcile()

    (stuck,) = outcome.breaks
    assert stuck.code == "STUCK"
    assert (stuck.amount, stuck.asset_id, stuck.user_id) == (-500, 1, 1001)
    assert "balance.operations/" in stuck.where
