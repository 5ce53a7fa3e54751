"""A made-up exchange holds; what is planted into it is found among thousands, with its amount."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.case import COLUMNS, Case
from reports.evidence import About, AccountRow, Evidence, LogImage, RequestRow, Row, TopicRecord
from reports.invariants import check_all
from reports.live import blocks, folds
from reports.live import details as ledger_details
from reports.live.orders import details as order_details
from reports.live.orders.kinds import PUBLISHED, Line
from reports.live.outcome import Outcome
from reports.live.reconciling import reconcile
from reports.live.sources import Bounds, Cells, Cut, Entry, Span
from reports.reconcile import reconcile as reconcile_plainly
from reports.rows import OrderRow, OutputRow, SideRow, TradeRow
from scenarios.reconciling.bench.exchange import PARTITIONS, SHARDS, Exchange
from scenarios.reconciling.bench.written import Written
from system.records import EVENTS, OPERATIONS, ORDERS, OUTPUTS
from system.topics import key_of
from system.wal.packing import Frame
from tests.scenarios.reconciling.bench import planted
from tests.scenarios.reconciling.bench.planted import SURPLUS, Damaged, LosesARow, exchange

ROWS = 3_000
LOST, NOTHING, MORE = -1, 0, 1  # the sign of an amount

# what is planted -> the codes that must be found, each with the sign of its amount
PLANTED: dict[type[Exchange | Damaged], dict[str, int]] = {
    planted.KeepsALock: {"LEGS_DIFFER": NOTHING, "FROZEN_DIFFERS": MORE},
    planted.MintsAFee: {"NOT_CONSERVED": MORE, "KIND_DIFFERS": MORE},
    planted.ForgetsACredit: {"LEGS_DIFFER": LOST, "NOT_CONSERVED": LOST},
    planted.LosesARow: {"NOT_SETTLED": LOST, "KIND_DIFFERS": LOST},
    planted.DoublesATrade: {"DUPLICATE": MORE},
    planted.ShowsAnotherHash: {"ROW_NOT_THE_ENGINES": NOTHING},
    planted.ShowsAnotherFee: {"ROW_NOT_THE_ENGINES": NOTHING},
    planted.AltersAnOutput: {"ALTERED": NOTHING, "CHAIN_BROKEN": NOTHING},
}


def told(outcome: Outcome) -> list[str]:
    return [str(broken)[:300] for broken in outcome.breaks]


@pytest.mark.parametrize("kind", PLANTED, ids=lambda kind: kind.__name__)
def test_what_is_planted_is_found_among_thousands(
    kind: type[Exchange | Damaged], tmp_path: Path
) -> None:
    outcome = reconcile(exchange(tmp_path, ROWS, kind), Bounds())

    assert outcome.verdict == "broken"
    found = {b.code: (b.amount > 0) - (b.amount < 0) for b in outcome.breaks}
    assert PLANTED[kind].items() <= found.items(), told(outcome)
    assert all(broken.cause and broken.where for broken in outcome.breaks)
    assert len(outcome.breaks) <= 4, told(outcome)  # one thing was wrong, and nothing else


def test_amounts_are_those_that_were_planted(tmp_path: Path) -> None:
    (tmp_path / "minted").mkdir()
    minted = reconcile(exchange(tmp_path / "minted", ROWS, planted.MintsAFee), Bounds())
    (tmp_path / "lost").mkdir()
    source = exchange(tmp_path / "lost", ROWS, LosesARow)
    assert isinstance(source, LosesARow)
    lost = reconcile(source, Bounds())

    assert [b.amount for b in minted.breaks if b.code == "NOT_CONSERVED"] == [SURPLUS]
    (broken,) = (b for b in lost.breaks if b.code == "NOT_SETTLED")
    assert (broken.user_id, broken.asset_id) == source.lost[:2]
    assert broken.amount == -source.lost[3]


# -- bounds --------------------------------------------------------------------------------------


class Counted(Written):
    """Counts what is read of each topic."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.read: Counter[str] = Counter()

    def _entries(self, topic: str, partition: int, low: int, high: int) -> Iterator[Entry]:
        for entry in super()._entries(topic, partition, low, high):
            self.read[topic] += 1
            yield entry

    def frames(self, shard: int) -> Iterator[Frame]:
        for frame in super().frames(shard):
            self.read["frames"] += 1
            yield frame


def test_a_sound_deployment_is_read_once_and_what_is_newer_than_the_cut_twice(
    tmp_path: Path,
) -> None:
    exchange(tmp_path, ROWS)
    source = Counted(tmp_path)

    outcome = reconcile(source, Bounds())

    assert told(outcome) == []
    cut = source.cut()
    ends = {topic: sum(span.high for span in spans.values()) for topic, spans in _spans(cut)}
    newer = sum(cut.events[p].high - settled.offset for p, settled in cut.settled.items())
    shown = sum(cut.outputs[p].high - s.offset for p, s in cut.settled_outputs.items())
    taken_in = source.read[OUTPUTS] - ends[OUTPUTS] - shown  # what a shard has no frame for
    assert source.read[OPERATIONS] == ends[OPERATIONS]
    assert source.read[ORDERS] == ends[ORDERS]
    assert source.read[EVENTS] == ends[EVENTS] + newer
    assert 0 <= taken_in <= ROWS // 100
    assert source.read["frames"] == outcome.reads["frames"]


def _spans(cut: Cut) -> Iterator[tuple[str, dict[int, Span]]]:
    return zip(
        (OPERATIONS, ORDERS, OUTPUTS, EVENTS),
        (cut.operations, cut.orders, cut.outputs, cut.events),
        strict=True,
    )


def test_of_hundreds_of_breaks_some_are_listed_and_the_rest_is_counted(tmp_path: Path) -> None:
    source = exchange(tmp_path, ROWS, planted.LosesEverySeventhRow)

    outcome = reconcile(source, Bounds(breaks_max=20))

    listed = Counter((broken.invariant, broken.code) for broken in outcome.breaks)
    counted = [broken.where for broken in outcome.breaks if broken.code == "MORE"]
    assert max(listed.values()) <= 20 + len(outcome.assets)
    assert "UNEXPLAINED" not in {broken.code for broken in outcome.breaks}
    assert any("accounts whose rows and events differ" in where for where in counted), counted
    assert any("rows of trades and orders that differ" in where for where in counted), counted
    assert any("requests whose answers and events differ" in where for where in counted), counted


def test_a_second_look_in_small_pieces_finds_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = exchange(tmp_path, ROWS, planted.LosesEverySeventhRow)
    at_once = reconcile(source, Bounds(breaks_max=ROWS))
    for module in (folds, ledger_details, order_details, blocks):
        monkeypatch.setattr(module, "BLOCK", 32)
    monkeypatch.setattr(folds, "AT_ONCE", 64)
    monkeypatch.setattr(folds, "_PASSES", ROWS)

    in_pieces = reconcile(source, Bounds(breaks_max=ROWS))

    assert in_pieces.breaks
    assert sorted(told(in_pieces)) == sorted(told(at_once))


# -- the streaming way and the plain checkers ----------------------------------------------------


def evidence(source: Written) -> Evidence:
    """Return all that the sources hold, as the evidence of a run."""
    cut = source.cut()
    readers = {
        OPERATIONS: (source.operations, cut.operations),
        ORDERS: (source.orders, cut.orders),
        OUTPUTS: (source.outputs, cut.outputs),
        EVENTS: (source.events, cut.events),
    }
    records = [
        TopicRecord(
            topic=topic,
            partition=partition,
            offset=entry.offset,
            key=key_of(_about(topic, entry.value or b"")),
            value=entry.value,
            timestamp_ms=entry.timestamp_ms,
        )
        for topic, (read, spans) in readers.items()
        for partition, span in spans.items()
        for entry in read(partition, 0, span.high)
    ]
    shown = list(source.shown())
    end_ns = 10**15
    return Evidence(
        about=About(
            scenario="exchange",
            seed=1,
            token="",
            stage="real",
            versions={},
            shards=SHARDS,
            partitions=PARTITIONS,
            quiescent_ns=end_ns,
            ended_ns=end_ns,
        ),
        records=tuple(records),
        logs=tuple(
            LogImage(
                shard=shard,
                taken_ns=end_ns,
                files={
                    path.name: path.read_bytes()
                    for path in (source.folder / f"log-{shard}").iterdir()
                },
            )
            for shard in cut.logs
        ),
        rows=tuple(map(_row, source.ledger())),
        requests=tuple(RequestRow(**row._asdict()) for row in source.requests()),
        accounts=tuple(AccountRow(user_id=u, asset_id=a) for u, a in source.users_assets()),
        outputs=tuple(row for row in shown if isinstance(row, OutputRow)),
        orders=tuple(row for row in shown if isinstance(row, OrderRow)),
        trades=tuple(row for row in shown if isinstance(row, TradeRow)),
        sides=tuple(row for row in shown if isinstance(row, SideRow)),
    )


def _row(cells: Cells) -> Row:
    return msgspec.convert(dict(zip(COLUMNS, cells, strict=True)), Row)


class _About(msgspec.Struct):
    user_id: int
    symbol_id: int = 0


def _about(topic: str, value: bytes) -> int:
    about = msgspec.json.decode(value, type=_About)
    return about.symbol_id if topic in (ORDERS, OUTPUTS) else about.user_id


@given(st.integers(0, 10**6), st.sampled_from([Exchange, *PLANTED]))
@settings(max_examples=16, deadline=None)
def test_both_ways_come_to_the_same(
    tmp_path_factory: pytest.TempPathFactory, seed: int, kind: type[Exchange | Damaged]
) -> None:
    source = exchange(tmp_path_factory.mktemp("exchange"), 600, kind, seed)

    streamed = reconcile(source, Bounds())
    case = Case(evidence(source))
    plain = reconcile_plainly(case)
    checks = check_all(case, ("I1", "I2", "I5", "I6", "I9", "I10", "I17"))

    assert plain.trading is not None
    unasked = "acknowledged"  # what clients sent is not among the sources
    breaks = [broken for broken in plain.breaks() if not broken.where.startswith(unasked)]
    breaks += [broken for check in checks for broken in check.breaks]
    assert bool(breaks) == bool(streamed.breaks), (list(map(str, breaks)), told(streamed))
    lines = {(x.kind, x.asset_id): (x.counts, x.sums) for x in plain.trading.lines}
    assert lines == {(x.kind, x.asset_id): with_late(x) for x in streamed.trading}


def with_late(line: Line) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return what a kind came to, with the rows that are newer than the cut."""
    late, amount = line.waiting[PUBLISHED]
    return (*line.counts[:-1], line.counts[-1] + late), (*line.sums[:-1], line.sums[-1] + amount)
