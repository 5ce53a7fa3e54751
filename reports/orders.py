"""The life of each order: asked for, locked, matched, filled, released; from every source.

A moment names its place: a record of a topic, a frame of a log, a row of a table. Copies of a
record that were sent again are not told twice. Clocks of brokers and programs differ a little, so
a frame stands behind the record that it came from, whatever its own clock said.
"""

from collections.abc import Iterator
from typing import NamedTuple

from reports.amounts import money
from reports.case import Case
from reports.evidence import TopicRecord
from reports.journal import Applied, Decision
from system.records import Cancel, EngineOutput, OrderState, Party, PlaceOrder, Trade
from system.symbols import BY_ID, show_price
from system.wal.frames import CommandFrame, OrderFrame


class Moment(NamedTuple):
    """Something that happened to an order."""

    at_ns: int | None
    what: str
    place: str
    text: str
    after_ns: int = 0  # when its cause lay in Kafka, by that broker's clock

    @property
    def rank(self) -> tuple[bool, int]:
        """Where it stands among the others; what has no time stands last."""
        return self.at_ns is None, max(self.at_ns or 0, self.after_ns)


class Life(NamedTuple):
    """An order, what was asked for it, and all that happened to it, by time."""

    command: PlaceOrder
    moments: tuple[Moment, ...]
    decision: str
    locked: int
    last: OrderState | None  # as the engine left it; None if it never came that far
    received: int
    fees: int

    @property
    def status(self) -> str:
        """What became of it."""
        if self.last is None:
            return self.decision
        return self.last.status + (f": {self.last.ending}" if self.last.ending else "")


def lives(case: Case) -> list[Life]:
    """Return the orders that reached the operations topic, in the order in which they came."""
    commands: dict[str, PlaceOrder] = {}
    for source in sorted(case.inputs, key=lambda s: s.at_ns):
        if isinstance(source.command, PlaceOrder):
            commands.setdefault(source.command.order_id, source.command)
    moments: dict[str, list[Moment]] = {order_id: [] for order_id in commands}
    outputs = _outputs(case)
    of_trade = {
        (trade.trade_id, party.user_id): party.order_id
        for output, _, _ in outputs
        for trade in output.trades
        for party in (trade.maker, trade.taker)
    }
    for order_id, moment in _moments(case, outputs, of_trade):
        moments.setdefault(order_id, []).append(moment)
    decisions = {
        step.frame.order_id: step
        for step in reversed(case.decisions)
        if isinstance(step.frame, OrderFrame) and step.frame.order_id and step.frame.symbol_id
    }
    return [
        _life(command, moments[order_id], decisions.get(order_id), outputs)
        for order_id, command in commands.items()
    ]


def _decision(frame: CommandFrame | None) -> str:
    if frame is None:
        return "not decided"
    return frame.decision + (f": {frame.reason}" if frame.reason else "")


Output = tuple[EngineOutput, int, str]  # at, place


def _outputs(case: Case) -> list[Output]:
    """Return the first record of each output."""
    found: dict[tuple[int, int], Output] = {}
    for emitted in case.emitted:
        output = emitted.output
        found.setdefault(
            (output.symbol_id, output.output_seq), (output, emitted.at_ns, emitted.place)
        )
    return list(found.values())


def _life(
    command: PlaceOrder, moments: list[Moment], step: Decision | None, outputs: list[Output]
) -> Life:
    order_id = command.order_id
    states = [s for output, _, _ in outputs for s in output.orders if s.order_id == order_id]
    parties = [
        party
        for output, _, _ in outputs
        for trade in output.trades
        for party in (trade.maker, trade.taker)
        if party.order_id == order_id
    ]
    frame = None if step is None else step.frame
    return Life(
        command,
        tuple(sorted(moments, key=lambda moment: moment.rank)),
        _decision(frame),
        sum(leg.delta_frozen for leg in frame.legs) if frame is not None else 0,
        states[-1] if states else None,
        sum(party.received for party in parties),
        sum(party.fee for party in parties),
    )


def _moments(
    case: Case, outputs: list[Output], of_trade: dict[tuple[str, int], str]
) -> Iterator[tuple[str, Moment]]:
    yield from _asked(case)
    seen: set[str] = set()
    for passed in case.passed:
        validated = passed.validated
        what = type(validated).__name__.removeprefix("Validated").lower()
        if (key := f"{what} {validated.request_id}") not in seen:
            seen.add(key)
            text = f"the {what} goes to the engine"
            yield validated.order_id, Moment(passed.at_ns, "to engine", passed.place, text)
    for output, at_ns, place in outputs:
        for order_id, text in _said(output):
            yield order_id, Moment(at_ns, "matched", place, text)
    yield from _decided(case)  # behind what it came from, if both have one time
    yield from _settled(case, of_trade)


def _asked(case: Case) -> Iterator[tuple[str, Moment]]:
    for source in case.inputs:
        command = source.command
        if isinstance(command, PlaceOrder | Cancel):
            what = "place" if isinstance(command, PlaceOrder) else "cancel"
            place = f"{source.record.topic}/{source.record.partition}@{source.record.offset}"
            text = f"{what}, request {command.request_id}"
            yield command.order_id, Moment(source.at_ns, "asked", place, text)


def _decided(case: Case) -> Iterator[tuple[str, Moment]]:
    epoch_ms = case.about.epoch_ns // 1_000_000
    pays = {
        s.command.order_id: s.asset_id for s in case.inputs if isinstance(s.command, PlaceOrder)
    }
    came = {_place(source.record): source.at_ns for source in case.inputs}
    came.update((_place(emitted.record), emitted.at_ns) for emitted in case.emitted)
    for step in case.steps:
        at_ns = (step.frame.created_at - epoch_ms) * 1_000_000
        source = step.frame.input
        after_ns = came.get((source.topic, source.partition, source.offset), 0)
        place = f"shard {step.shard} {step.place}"
        if isinstance(step, Applied):
            for change in step.frame.changes:
                state = "still open" if change.open else "closed"
                paid = money(change.paid, pays.get(change.order_id, 0))
                text = f"fills applied: {state}, {paid} paid so far"
                yield change.order_id, Moment(at_ns, "applied", place, text, after_ns)
        elif isinstance(step.frame, OrderFrame) and step.frame.decision != "duplicate":
            frame = step.frame
            locks = ", ".join(money(leg.delta_frozen, leg.asset_id) for leg in frame.legs)
            what = "the order" if frame.symbol_id else "the cancel"
            text = f"{what} is {_decision(frame)}"
            more = f"; locks {locks}" if locks else ""
            yield frame.order_id, Moment(at_ns, "decided", place, text + more, after_ns)


def _place(record: TopicRecord) -> tuple[str, int, int]:
    return record.topic, record.partition, record.offset


def _said(output: EngineOutput) -> Iterator[tuple[str, str]]:
    """Say what an output did, for each order that it changed."""
    for trade in output.trades:
        for party, other in ((trade.maker, trade.taker), (trade.taker, trade.maker)):
            role = "maker" if party is trade.maker else "taker"
            text = _fill(output.symbol_id, trade, party)
            yield party.order_id, f"{text} {role}, with user {other.user_id}"
    for state in output.orders:
        if state.status != "open" or state.order_id == output.order_id:
            why = f" ({state.ending})" if state.ending else ""
            rest = money(state.unlocked, state.locked_asset_id)
            freed = f"; {rest} released" if state.unlocked else ""
            yield state.order_id, f"{state.status}{why}, output {output.output_seq}{freed}"
    if output.outcome == "order_closed":
        yield output.order_id, "the cancel comes too late: the order is closed"


def _fill(symbol_id: int, trade: Trade, party: Party) -> str:
    symbol = BY_ID.get(symbol_id)
    price = f"{trade.price}" if symbol is None else show_price(trade.price, symbol)
    base = party.received_asset_id if party.side == "buy" else party.paid_asset_id
    got, fee = (money(raw, party.received_asset_id) for raw in (party.received, party.fee))
    quantity = money(trade.quantity, base)
    return f"fill {trade.trade_id}: {quantity} at {price}, receives {got}, fee {fee},"


def _settled(case: Case, of_trade: dict[tuple[str, int], str]) -> Iterator[tuple[str, Moment]]:
    for rows in case.rows.values():
        for row in rows:
            if row.event_type in ("lock", "unlock"):
                order_id = row.ref_id
            elif row.event_type in ("trade_debit", "trade_credit"):
                order_id = of_trade.get((row.ref_id, row.user_id), "")
            else:
                continue
            changes = [
                f"{money(delta, row.asset_id, sign=True)} {what}"
                for delta, what in ((row.delta_avail, "available"), (row.delta_frozen, "frozen"))
                if delta
            ]
            place = f"balance_ledger {row.user_id}/{row.asset_id}/{row.seq}"
            text = f"{row.event_type}: {', '.join(changes)}"
            yield order_id, Moment(row.durable_ns, "row", place, text)
