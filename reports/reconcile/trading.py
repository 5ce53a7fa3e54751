"""The trading statement: every lock, fill, fee and unlock from the engine's topics to the ledger.

A change is named by its type, its account and what it refers to (an order or a trade). It must
stand at every hop, once, with the same amounts; what differs is a break, on its way, or waits for
an owed halt.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from reports.breaks import Break
from reports.case import Case
from reports.fills import Move, moves
from reports.naming import account_name
from system.records import LedgerRow, Validated, ValidatedOrder

INVARIANT = "R"
ORDERS_AND_OUTPUTS = "orders, engine outputs"
HOPS = (ORDERS_AND_OUTPUTS, "decisions log", "events topic", "ledger rows")
KINDS = ("lock", "trade_debit", "trade_credit", "fee", "unlock")

_PROGRAMS = ("ubscore", "ubscore", "settlement")  # who carries a change to the next hop
_CODES = ("NOT_APPLIED", "NOT_PUBLISHED", "NOT_SETTLED")

Name = tuple[str, int, int, str]  # type, user, asset, order or trade


class Change(NamedTuple):
    """A change at one hop, and where it stands there."""

    move: Move
    place: str
    at_ns: int | None

    @property
    def name(self) -> Name:
        """What must be the same at every hop."""
        return (self.move.event_type, self.move.user_id, self.move.asset_id, self.move.ref_id)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of change in one asset: how many and how much at each hop.

    `waiting` counts its differences that are explained; it is 0 if one is not.
    """

    kind: str
    asset_id: int
    counts: tuple[int, ...]
    sums: tuple[int, ...]
    waiting: int = 0

    @property
    def agrees(self) -> bool:
        """Whether all hops hold the same."""
        return len(set(self.counts)) == 1 and len(set(self.sums)) == 1

    def mark(self, same: str, waits: str, differs: str) -> str:
        """Return what stands for it: all hops agree, or will (``{}`` is how many wait), or not."""
        if self.agrees:
            return same
        return waits.format(self.waiting) if self.waiting else differs


class TradingStatement(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of it; ``waiting`` are differences that are explained, each in a sentence."""

    lines: tuple[Line, ...]
    breaks: tuple[Break, ...]
    waiting: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many changes were looked at, over all hops."""
        return sum(sum(line.counts) for line in self.lines)


def trading_statement(case: Case) -> TradingStatement:
    """Reconcile what orders did to accounts, hop by hop."""
    hops = (_told(case), _logged(case), _published(case), _settled(case))
    breaks: list[Break] = []
    waiting: list[str] = []
    waits: Counter[tuple[str, int]] = Counter()
    differing: set[tuple[str, int]] = set()
    for number, program in enumerate(_PROGRAMS):
        for change, found in _step(case, number, hops[number], hops[number + 1]):
            kind = change.move.event_type, change.move.asset_id
            why = _explained(case, found, program)
            if why:
                waiting.append(f"{found.where}: {why}")
                waits[kind] += 1
            else:
                breaks.append(found)
                differing.add(kind)
    for broken in differing:
        waits.pop(broken, None)
    return TradingStatement(lines=_lines(hops, waits), breaks=tuple(breaks), waiting=tuple(waiting))


# -- the hops ------------------------------------------------------------------------------------


def _told(case: Case) -> list[Change]:
    """Return what the orders topic says is locked, and what the engine's outputs do."""
    found: dict[Name, Change] = {}
    for passed in case.passed:
        for move in _lock(passed.validated):
            change = Change(move, passed.place, passed.at_ns)
            found.setdefault(change.name, change)
    seen: set[tuple[int, int]] = set()
    for emitted in case.emitted:
        output = emitted.output
        if (output.symbol_id, output.output_seq) not in seen:
            seen.add((output.symbol_id, output.output_seq))
            for move in moves(output):
                change = Change(move, emitted.place, emitted.at_ns)
                found.setdefault(change.name, change)
    return list(found.values())


def _lock(record: Validated) -> Iterator[Move]:
    if isinstance(record, ValidatedOrder):
        buys = record.side == "buy"
        amount = record.price * (record.quantity // record.lot) if buys else record.quantity
        asset = record.quote_asset_id if buys else record.base_asset_id
        yield Move("lock", record.user_id, asset, -amount, amount, record.order_id)


def _logged(case: Case) -> list[Change]:
    epoch_ms = case.about.epoch_ns // 1_000_000
    return [
        Change(_move(event), step.place, (step.frame.created_at - epoch_ms) * 1_000_000)
        for step in case.steps
        for event in step.events
        if isinstance(event, LedgerRow) and event.event_type in KINDS
    ]


def _published(case: Case) -> list[Change]:
    found: dict[bytes, Change] = {}
    for published in case.published:
        event = published.event
        if isinstance(event, LedgerRow) and event.event_type in KINDS:
            value = published.record.value or b""
            found.setdefault(value, Change(_move(event), published.place, published.at_ns))
    return list(found.values())


def _settled(case: Case) -> list[Change]:
    return [
        Change(
            Move(
                row.event_type,  # type: ignore[arg-type]
                row.user_id,
                row.asset_id,
                row.delta_avail,
                row.delta_frozen,
                row.ref_id,
            ),
            f"{account_name((row.user_id, row.asset_id))} seq {row.seq}",
            row.durable_ns,
        )
        for rows in case.rows.values()
        for row in rows
        if row.event_type in KINDS
    ]


def _move(event: LedgerRow) -> Move:
    return Move(
        event.event_type,
        event.user_id,
        event.asset_id,
        event.delta_avail,
        event.delta_frozen,
        event.ref_id,
    )


# -- between two hops ----------------------------------------------------------------------------


def _step(
    case: Case, number: int, before: list[Change], after: list[Change]
) -> Iterator[tuple[Change, Break]]:
    there: dict[Name, list[Change]] = {}
    for change in after:
        there.setdefault(change.name, []).append(change)
    known = set()
    for change in before:
        known.add(change.name)
        same = there.get(change.name, [])
        if not same:
            if not number and change.move.event_type == "lock" and not case.log_readable:
                continue
            yield change, _break(number, _CODES[number], change, -1, "nothing like it")
        elif same[0].move != change.move:
            altered = f"otherwise than in {change.place}"
            yield change, _break(number, "ALTERED", same[0], 0, altered)
    for name, same in there.items():
        for surplus in same[1:] if name in known else same:
            code = "DUPLICATE" if name in known else "ORPHAN"
            yield surplus, _break(number, code, surplus, 1, "it")


def _break(number: int, code: str, change: Change, sign: int, found: str) -> Break:
    move = change.move
    way = f"{HOPS[number]} -> {HOPS[number + 1]}"
    account = account_name((move.user_id, move.asset_id))
    return Break(
        invariant=INVARIANT,
        code=code,
        where=f"{way} ({move.event_type} of {move.ref_id}, {account}, {change.place})",
        expected="the same change at both",
        found=found,
        amount=sign * (move.delta_avail + move.delta_frozen),
        asset_id=move.asset_id,
        user_id=move.user_id,
        at_ns=change.at_ns,
    )


def _explained(case: Case, found: Break, program: str) -> str:
    """Return why a difference is none to worry about; empty if it is."""
    if found.code not in (*_CODES, "ORPHAN"):
        return ""
    first = found.where.startswith(ORDERS_AND_OUTPUTS)
    if found.code == "ORPHAN" and not first:
        return ""  # only a lock is logged before it stands in the hop before
    excuse = case.excuse(program, "ubscore", "engine")
    if excuse:
        return excuse
    return "" if case.due(found.at_ns) else "on its way when the evidence was taken"


def _lines(hops: Iterable[list[Change]], waits: Mapping[tuple[str, int], int]) -> tuple[Line, ...]:
    sums: list[dict[tuple[str, int], list[int]]] = []
    for hop in hops:
        of_hop: dict[tuple[str, int], list[int]] = {}
        for change in hop:
            total = of_hop.setdefault((change.move.event_type, change.move.asset_id), [0, 0])
            total[0] += 1
            total[1] += size(change.move)
        sums.append(of_hop)
    keys = sorted({key for of_hop in sums for key in of_hop}, key=_rank)
    return tuple(
        Line(
            kind=kind,
            asset_id=asset,
            counts=tuple(of_hop.get((kind, asset), [0, 0])[0] for of_hop in sums),
            sums=tuple(of_hop.get((kind, asset), [0, 0])[1] for of_hop in sums),
            waiting=waits.get((kind, asset), 0),
        )
        for kind, asset in keys
    )


def _rank(key: tuple[str, int]) -> tuple[int, int]:
    return KINDS.index(key[0]), key[1]


def size(move: Move) -> int:
    """Return how much a change moves, whichever way."""
    return abs(move.delta_avail or move.delta_frozen)
