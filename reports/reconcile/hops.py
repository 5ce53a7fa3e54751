"""The five hops money takes, each as a list of effects: whose, which asset, how much.

They are of transfers, which bring money in and take it out; what orders move is in `trading`.

A record that was sent again is one effect and a counted *copy*; what counts as the same is the
whole content, so a repeated send with other content stays visible as a second effect.
"""

from typing import NamedTuple

from reports.case import Case
from reports.reconcile.codes import HOPS
from reports.traffic import RequestKey
from system.records import LedgerRow

TRANSFERS = ("deposit", "withdraw")


class Item(NamedTuple):
    """One effect at one hop; ``asset``, ``delta`` and ``seq`` are what must stay the same."""

    key: RequestKey
    asset_id: int
    delta: int
    seq: int
    at_ns: int | None
    series: str
    number: int

    @property
    def place(self) -> str:
        """Where it lies, for people."""
        return f"{self.series} {self.number}" if self.series else "HTTP answer"


class Hop:
    """A hop's effects and its control totals."""

    __slots__ = ("copies", "items", "name", "sums")

    def __init__(self, name: str, items: list[Item], copies: int = 0) -> None:
        self.name = name
        self.items = items
        self.copies = copies
        self.sums: dict[int, int] = {}
        for item in items:
            self.sums[item.asset_id] = self.sums.get(item.asset_id, 0) + item.delta

    @property
    def count(self) -> int:
        """How many effects there are."""
        return len(self.items)

    @property
    def ranges(self) -> str:
        """The first and last number of each series, e.g. ``LSN 2-10``."""
        found: dict[str, tuple[int, int]] = {}
        for item in self.items:
            if item.series:
                low, high = found.get(item.series, (item.number, item.number))
                found[item.series] = (min(low, item.number), max(high, item.number))
        return ", ".join(f"{name} {low}-{high}" for name, (low, high) in sorted(found.items()))


def hops(case: Case) -> tuple[Hop, Hop, Hop, Hop, Hop]:
    """Return the five hops of a case."""
    return (_acknowledged(case), _operations(case), _log(case), _events(case), _ledger(case))


def _acknowledged(case: Case) -> Hop:
    items: dict[RequestKey, Item] = {}
    copies = 0
    for op in case.transfers:
        if op.outcome != "ok":
            continue
        key = op.user_id, op.request_id, op.body_hash
        if key in items:
            copies += 1
            continue
        delta = op.amount if op.kind == "transfer_in" else -op.amount
        items[key] = Item(key, op.asset_id, delta, 0, op.acknowledged_ns, "", 0)
    return Hop(HOPS[0], list(items.values()), copies)


def _operations(case: Case) -> Hop:
    items: dict[RequestKey, Item] = {}
    transfers = [source for source in case.inputs if source.transfer]
    for source in transfers:
        if source.key not in items:
            record = source.record
            items[source.key] = Item(
                source.key,
                source.asset_id,
                source.delta,
                0,
                source.at_ns,
                f"partition {record.partition} offset",
                record.offset,
            )
    return Hop(HOPS[1], list(items.values()), len(transfers) - len(items))


def _log(case: Case) -> Hop:
    epoch_ms = case.about.epoch_ns // 1_000_000
    items = []
    copies = 0
    for decision in case.decisions:
        frame = decision.frame
        if decision.frame.decision == "duplicate":
            copies += 1
        for leg in frame.legs:
            if leg.event_type not in TRANSFERS:
                continue
            at_ns = (frame.created_at - epoch_ms) * 1_000_000
            items.append(
                Item(
                    decision.key,
                    leg.asset_id,
                    leg.delta_avail + leg.delta_frozen,
                    leg.seq,
                    at_ns,
                    "LSN" if len(case.journals) == 1 else f"shard {decision.shard} LSN",
                    decision.lsn,
                )
            )
    return Hop(HOPS[2], items, copies)


def _events(case: Case) -> Hop:
    items: dict[bytes, Item] = {}
    rows = 0
    for published in case.published:
        event = published.event
        if not isinstance(event, LedgerRow) or event.event_type not in TRANSFERS:
            continue
        rows += 1
        value = published.record.value or b""
        if value not in items:
            items[value] = Item(
                (event.user_id, event.request_id, event.body_hash),
                event.asset_id,
                event.delta_avail + event.delta_frozen,
                event.seq,
                published.at_ns,
                f"partition {published.record.partition} n",
                event.n,
            )
    return Hop(HOPS[3], list(items.values()), rows - len(items))


def _ledger(case: Case) -> Hop:
    items = [
        Item(
            (row.user_id, row.ref_id, ""),
            row.asset_id,
            row.delta_avail + row.delta_frozen,
            row.seq,
            row.durable_ns,
            "seq",
            row.seq,
        )
        for rows in case.rows.values()
        for row in rows
        if row.event_type in TRANSFERS
    ]
    return Hop(HOPS[4], items)
