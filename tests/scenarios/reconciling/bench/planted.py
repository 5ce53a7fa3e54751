"""Breaks planted into a made-up exchange: while it is made, or where it is read."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from reports.evidence import OutputRow, SideRow
from reports.live.sources import Account, Answer, Cells, Entry
from reports.shown import Shown
from scenarios.reconciling.bench.exchange import Exchange
from scenarios.reconciling.bench.traders import make
from scenarios.reconciling.bench.written import Writing, Written
from system.records import LedgerRow, decode_event, decode_output, encode, seal
from system.ubscore.arrivals import OutputArrival
from system.wal.frames import EngineFrame, Leg

change = msgspec.structs.replace
AFTER = 20  # so many chances are let go by first
SURPLUS = 7


def remade(frame: EngineFrame, alter: Callable[[Leg], Leg | None]) -> EngineFrame:
    """Return a frame with other legs, and with the events that tell of them."""
    legs, outputs, queue = [], [], list(frame.legs)
    fewer: Counter[int] = Counter()
    moved: dict[Account, tuple[int, int, int]] = {}
    for output in frame.outputs:
        event: Any = decode_event(output.value)
        cells: dict[str, int] = {}
        if isinstance(event, LedgerRow):
            leg = queue.pop(0)
            account = leg.user_id, leg.asset_id
            seq, avail, frozen = moved.get(account, (0, 0, 0))
            new = alter(leg)
            more = new or change(leg, delta_avail=0, delta_frozen=0)
            avail += more.delta_avail - leg.delta_avail
            frozen += more.delta_frozen - leg.delta_frozen
            moved[account] = seq - (new is None), avail, frozen
            if new is None:
                fewer[output.partition] += 1
                continue
            cells = {"delta_avail": new.delta_avail, "delta_frozen": new.delta_frozen}
            cells |= {"seq": leg.seq + seq, "avail": leg.avail + avail}
            cells |= {"frozen": leg.frozen + frozen}
            legs.append(change(new, **cells))
        n = output.n - fewer[output.partition]
        outputs.append(change(output, n=n, value=encode(change(event, n=n, **cells))))
    return change(frame, legs=tuple(legs), outputs=tuple(outputs))


class Planting(Exchange):
    """One that does wrong once, at the first chance after some."""

    chances = 0

    def fill(self, shard: int, arrival: OutputArrival) -> EngineFrame | None:
        frame = super().fill(shard, arrival)
        if frame is None or not self.chance(frame):
            return frame
        self.chances += 1
        return self.wrong(frame) if self.chances == AFTER else frame

    def chance(self, frame: EngineFrame) -> bool:
        raise NotImplementedError

    def wrong(self, frame: EngineFrame) -> EngineFrame:
        raise NotImplementedError


class KeepsALock(Planting):
    """A cancelled order's rest stays frozen for ever."""

    def chance(self, frame: EngineFrame) -> bool:
        return [leg.event_type for leg in frame.legs] == ["unlock"]

    def wrong(self, frame: EngineFrame) -> EngineFrame:
        return remade(frame, lambda _: None)


class MintsAFee(Planting):
    """A fee is credited with more than was taken."""

    def chance(self, frame: EngineFrame) -> bool:
        return any(leg.event_type == "fee" for leg in frame.legs)

    def wrong(self, frame: EngineFrame) -> EngineFrame:
        todo = [SURPLUS]

        def alter(leg: Leg) -> Leg:
            more = todo.pop() if leg.event_type == "fee" and todo else 0
            return change(leg, delta_avail=leg.delta_avail + more)

        return remade(frame, alter)


class ForgetsACredit(Planting):
    """What a trade brings is not credited."""

    def chance(self, frame: EngineFrame) -> bool:
        return [leg.event_type for leg in frame.legs].count("trade_credit") == 1

    def wrong(self, frame: EngineFrame) -> EngineFrame:
        return remade(frame, lambda leg: None if leg.event_type == "trade_credit" else leg)


class Damaged(Written):
    """Read with something wrong in one table or topic."""

    def row(self, event_type: str) -> Cells:
        """Return an account's first row of a kind: it was committed long before the cut."""
        for _, rows in groupby(super().ledger(), key=lambda row: row[:2]):
            found = [row for row in rows if row[7] == event_type]
            if found:
                return found[-1]
        raise AssertionError(f"no {event_type} was ever made")


class LosesARow(Damaged):
    """A row of a fill is gone."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.lost = self.row("trade_credit")

    def ledger(self) -> Iterator[Cells]:
        return (row for row in super().ledger() if row != self.lost)

    def ledger_of(self, account: Account) -> Iterator[Cells]:
        return (row for row in super().ledger_of(account) if row != self.lost)


class LosesEverySeventhRow(Damaged):
    """Rows are gone in every table."""

    def ledger(self) -> Iterator[Cells]:
        return (row for row in super().ledger() if row[2] % 7)

    def ledger_of(self, account: Account) -> Iterator[Cells]:
        return (row for row in super().ledger_of(account) if row[2] % 7)

    def shown(self) -> Iterator[Shown]:
        return (row for number, row in enumerate(super().shown()) if number % 7)

    def requests(self) -> Iterator[Answer]:
        return (row for number, row in enumerate(super().requests()) if number % 7)


class DoublesATrade(Damaged):
    """A trade is credited again, on top of its account."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        row = self.row("trade_credit")
        top = next(super().ledger_of(row[:2]))
        balances = top[5] + row[3], top[6] + row[4]
        self.again: Cells = (*row[:2], top[2] + 1, *row[3:5], *balances, *row[7:])

    def ledger(self) -> Iterator[Cells]:
        before = None
        for row in super().ledger():
            if row[:2] == self.again[:2] != before:
                yield self.again
            before = row[:2]
            yield row

    def ledger_of(self, account: Account) -> Iterator[Cells]:
        if account == self.again[:2]:
            yield self.again
        yield from super().ledger_of(account)


class ShowsAnotherHash(Damaged):
    """The log of outputs that users see holds another hash."""

    def shown(self) -> Iterator[Shown]:
        for row in super().shown():
            other = isinstance(row, OutputRow) and row.output_seq == AFTER and row.symbol_id == 1
            yield change(row, hash="0" * 64) if other else row


class ShowsAnotherFee(Damaged):
    """A user is shown a fee that was not taken."""

    def shown(self) -> Iterator[Shown]:
        todo = True
        for row in super().shown():
            other = todo and isinstance(row, SideRow) and row.fee > 0
            todo = todo and not other
            yield change(row, fee=row.fee + 1) if other else row  # type: ignore[union-attr]


class AltersAnOutput(Damaged):
    """An output in the topic is another one than the logs took in, with its seal mended."""

    def outputs(self, partition: int, low: int, high: int) -> Iterator[Entry]:
        for entry in super().outputs(partition, low, high):
            output = decode_output(entry.value or b"")
            if (output.symbol_id, output.output_seq) == (1, AFTER):
                output = change(output, created_at=output.created_at + 1, hash="")
                yield entry._replace(value=seal(output)[0])
            else:
                yield entry


def exchange(
    folder: Path, rows: int, kind: type[Exchange | Damaged] = Exchange, seed: int = 1
) -> Written:
    """Make up an exchange, with something planted into it or into its reader."""
    made: Callable[[Writing], Exchange] = kind if issubclass(kind, Exchange) else Exchange
    make(folder, rows, seed, made)
    return kind(folder) if issubclass(kind, Damaged) else Written(folder)
