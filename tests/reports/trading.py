"""Builds the evidence of a sound day of trading by hand, out of the programs' pure parts."""

from typing import Any

import msgspec

from reports.evidence import (
    About,
    AccountRow,
    Attempt,
    Commit,
    Dump,
    Evidence,
    LogImage,
    Operation,
    OrderRow,
    OutputRow,
    ProcessEvent,
    RequestRow,
    Row,
    SideRow,
    TopicRecord,
    TradeRow,
)
from system import trades
from system.chain import Link
from system.effects import encode as encode_effects
from system.effects import of
from system.engine.matching import Market
from system.records import (
    EVENTS,
    OPERATIONS,
    ORDERS,
    OUTPUTS,
    Cancel,
    CancelAccepted,
    CancelEnded,
    Deposit,
    LedgerRow,
    PlaceOrder,
    Rejected,
    Source,
    Withdraw,
    body_hash,
    decides,
    decode_event,
    decode_output,
    decode_validated,
    encode,
    order_id,
)
from system.symbols import BY_ID
from system.topics import key_of, partition_of
from system.ubscore.arrivals import Arrival, OutputArrival
from system.ubscore.decide import decide
from system.ubscore.dump import render
from system.ubscore.fills import fill
from system.ubscore.state import State
from system.ubscore.terms import Terms
from system.wal.frames import EpochFrame, Input
from tests.reports.build import BITS, EPOCH_MS, MS, PARTITIONS, SECOND, log_files

BTC, USDT, ETH = 1, 2, 3
HORIZON_MS = 86_400_000


class Trading:
    """An exchange of one shard that does everything at once; lists may be damaged afterwards."""

    def __init__(self) -> None:
        self.now = SECOND
        self.state = State()
        self.terms = Terms(1, 1, HORIZON_MS, partitions=PARTITIONS)
        self.fees_ppm = (self.terms.maker_ppm, self.terms.taker_ppm)
        self.bodies: list[Any] = []
        self.markets: dict[int, Market] = {}
        self.links: dict[int, Link] = {}
        self.records: list[TopicRecord] = []
        self.rows: list[Row] = []
        self.requests: dict[tuple[int, str, str], RequestRow] = {}
        self.outputs: list[OutputRow] = []
        self.orders: dict[str, OrderRow] = {}
        self.trades: list[TradeRow] = []
        self.sides: list[SideRow] = []
        self.operations: list[Operation] = []
        self.commits: list[Commit] = []
        self.processes = [
            ProcessEvent(at_ns=number, process=name, incarnation=1, kind="started")
            for number, name in enumerate(("gateway-1", "ubscore-1", "engine-1", "settlement-1"))
        ]
        self.offsets: dict[tuple[str, int], int] = {}
        self.made = 0
        self.dumped: bytes | None = None
        self.holding = False  # whether the engine is behind
        self.held: list[tuple[TopicRecord, Any]] = []
        self._frame(EpochFrame(1, BITS))

    # -- what clients do -----------------------------------------------------------------------

    def deposit(self, user: int, asset: int, amount: int) -> None:
        """Put money into an account."""
        request = self._request_id()
        hashed = body_hash("transfer_in", user, request, asset, amount)
        self._ask("transfer_in", user, request, hashed, asset, amount)
        self.command(
            Deposit(
                user_id=user, request_id=request, body_hash=hashed, asset_id=asset, amount=amount
            )
        )

    def withdraw(self, user: int, asset: int, amount: int) -> None:
        """Take money out."""
        request = self._request_id()
        hashed = body_hash("transfer_out", user, request, asset, amount)
        self._ask("transfer_out", user, request, hashed, asset, amount)
        self.command(
            Withdraw(
                user_id=user, request_id=request, body_hash=hashed, asset_id=asset, amount=amount
            )
        )

    def order(
        self, user: int, side: Any, price: int, lots: int, *, ioc: bool = False, symbol: int = 1
    ) -> str:
        """Place an order of some lots at a price in raw quote units per lot; return its id."""
        request = self._request_id()
        quantity = lots * BY_ID[symbol].lot
        lasting = "ioc" if ioc else "gtc"
        body = (symbol, side, "limit", lasting, price, quantity)
        hashed = body_hash("place_order", user, request, *body)
        made = order_id(user, request, hashed)
        asset = BY_ID[symbol].quote.id if side == "buy" else BY_ID[symbol].base.id
        lock = price * lots if side == "buy" else quantity
        self._ask("place_order", user, request, hashed, asset, lock, made)
        self.command(
            PlaceOrder(
                user_id=user,
                request_id=request,
                body_hash=hashed,
                order_id=made,
                symbol_id=symbol,
                side=side,
                kind="limit",
                time_in_force=lasting,  # type: ignore[arg-type]
                price=price,
                quantity=quantity,
            )
        )
        return made

    def cancel(self, user: int, order: str) -> str:
        """Cancel an order; return the request's key."""
        request = self._request_id()
        hashed = body_hash("cancel", user, request, order)
        self._ask("cancel", user, request, hashed, order=order)
        self.command(Cancel(user_id=user, request_id=request, body_hash=hashed, order_id=order))
        return request

    # -- the hops ------------------------------------------------------------------------------

    def command(self, command: Any) -> None:
        """Carry a command through every program."""
        value = encode(command)
        record = self.append(OPERATIONS, command.user_id, value)
        source = Input(OPERATIONS, record.partition, record.offset, 0, 0)
        at_ms = record.timestamp_ms
        arrival = Arrival(source, value, command, at_ms, at_ms + 1)
        self._publish(self._frame(decide(self.state, self.terms, arrival)))

    def _frame(self, body: Any) -> Any:
        self.bodies.append(body)
        self.state.apply(len(self.bodies), body)
        return body

    def _publish(self, frame: Any) -> None:
        passed = []
        for output in frame.outputs:
            if output.topic == EVENTS:
                event = decode_event(output.value)
                self.append(EVENTS, event.user_id, output.value)
                self._settle(event)
            else:
                validated = decode_validated(output.value)
                passed.append((self.append(ORDERS, validated.symbol_id, output.value), validated))
        self.held += passed
        if not self.holding:
            self.release()

    def release(self) -> None:
        """Let the engine catch up."""
        self.holding = False
        while self.held:
            self._match(*self.held.pop(0))

    def _match(self, record: TopicRecord, validated: Any) -> None:
        symbol = validated.symbol_id
        market = self.markets.setdefault(symbol, Market(symbol))
        source = Source(topic=ORDERS, partition=record.partition, offset=record.offset)
        emitted = market.apply(validated, source)
        there = self.append(OUTPUTS, symbol, emitted.value)
        output = decode_output(emitted.value)
        self.outputs.append(
            OutputRow(
                symbol_id=symbol,
                output_seq=output.output_seq,
                hash=output.hash,
                durable_ns=self.now + MS,
            )
        )
        self._show(output)
        self.links[symbol] = Link(output.output_seq, output.hash)
        came = Input(OUTPUTS, there.partition, there.offset, 0, 0)
        at_ms = there.timestamp_ms
        arrival = OutputArrival(came, emitted.value, output, at_ms, at_ms)
        frame = fill(self.state, self.terms, arrival, self.links)
        if frame is not None:
            self._publish(self._frame(frame))

    def _show(self, output: Any) -> None:
        """Write what users are shown of their trades and orders."""
        symbol, seq = output.symbol_id, output.output_seq
        for place, trade in enumerate(output.trades, 1):
            both = {
                "symbol_id": symbol,
                "trade_number": trades.number(seq, place),
                "trade_id": trade.trade_id,
                "price": trade.price,
                "quantity": trade.quantity,
                "durable_ns": self.now + MS,
            }
            row = TradeRow(
                **both,
                cost=trade.cost,
                taker_side=trade.taker.side,
                maker_order_id=trade.maker.order_id,
                taker_order_id=trade.taker.order_id,
            )
            self.trades.append(row)
            for liquidity, party in (("maker", trade.maker), ("taker", trade.taker)):
                own = msgspec.structs.asdict(party)
                self.sides.append(SideRow(**both, liquidity=liquidity, **own))
        for order in output.orders:
            cells = {**msgspec.structs.asdict(order), "symbol_id": symbol, "output_seq": seq}
            cells["durable_ns"] = self.now + MS
            self.orders[order.order_id] = OrderRow(
                **{name: cells[name] for name in OrderRow.__struct_fields__}
            )

    def _settle(self, event: Any) -> None:
        durable = self.now + 2 * MS
        if isinstance(event, LedgerRow):
            cells = msgspec.structs.asdict(event)
            fields = Row.__struct_fields__[:10]
            self.rows.append(Row(**{f: cells[f] for f in fields}, durable_ns=durable))
        key = event.user_id, event.request_id, event.body_hash
        if isinstance(event, CancelEnded):
            entry = msgspec.structs.replace(
                self.requests[key], outcome=event.outcome, outcome_ns=durable
            )
        elif not decides(event):
            return
        else:
            entry = RequestRow(
                user_id=event.user_id,
                request_id=event.request_id,
                body_hash=event.body_hash,
                decision=_decision(event),
                reason=event.reason if isinstance(event, Rejected) else None,
                effects=encode_effects((of(event),)) if isinstance(event, LedgerRow) else None,
                durable_ns=durable,
            )
        self.requests[key] = entry

    def append(self, topic: str, number: int, value: bytes) -> TopicRecord:
        """Append a record to the partition of a user or symbol."""
        self.now += MS
        partition = partition_of(key_of(number), PARTITIONS)
        offset = self.offsets.get((topic, partition), 0)
        self.offsets[topic, partition] = offset + 1
        record = TopicRecord(
            topic=topic,
            partition=partition,
            offset=offset,
            key=key_of(number),
            value=value,
            timestamp_ms=EPOCH_MS + self.now // MS,
            leader_epoch=0,
        )
        self.records.append(record)
        return record

    def commit(self, record: TopicRecord, at_ns: int) -> None:
        """Let Settlement commit the offset behind a record."""
        self.commits.append(
            Commit(
                group="settlement",
                topic=record.topic,
                partition=record.partition,
                offset=record.offset + 1,
                metadata="",
                at_ns=at_ns,
            )
        )

    def _request_id(self) -> str:
        self.made += 1
        self.now += 10 * MS
        stamp = f"{EPOCH_MS + self.now // MS:012x}"
        return f"{stamp[:8]}-{stamp[8:]}-7000-8000-{self.made:012x}"

    def _ask(
        self,
        kind: Any,
        user: int,
        request: str,
        hashed: str,
        asset: int = 0,
        amount: int = 0,
        order: str = "",
    ) -> None:
        attempt = Attempt(invoked_ns=self.now, returned_ns=self.now + MS, status=202)
        self.operations.append(
            Operation(
                client="client-1",
                kind=kind,
                user_id=user,
                asset_id=asset,
                amount=amount,
                request_id=request,
                body_hash=hashed,
                order_id=order,
                attempts=(attempt,),
                outcome="ok",
            )
        )

    # -- the result ----------------------------------------------------------------------------

    def evidence(self) -> Evidence:
        """Return what all this left behind."""
        end = self.now + 60 * SECOND
        about = About(
            scenario="trading_day",
            seed=7,
            token="wt1-trading_day-0-7",
            stage="simulated",
            versions={"python": "3.11"},
            epoch_ns=EPOCH_MS * MS,
            healed_ns=self.now,
            quiescent_ns=self.now + SECOND,
            ended_ns=end,
            horizon_ms=HORIZON_MS,
            fees_ppm=self.fees_ppm,
        )
        body = self.dumped or render(self.state, 1)
        accounts = [
            (row.user_id, row.asset_id, row.durable_ns) for row in self.rows if row.seq == 1
        ]
        return Evidence(
            about=about,
            operations=tuple(self.operations),
            records=tuple(self.records),
            logs=(LogImage(shard=1, taken_ns=end, files=log_files(self.bodies)),),
            dumps=(Dump(shard=1, process="ubscore-1", incarnation=1, taken_ns=end, body=body),),
            rows=tuple(self.rows),
            requests=tuple(self.requests.values()),
            accounts=tuple(AccountRow(user_id=u, asset_id=a, durable_ns=t) for u, a, t in accounts),
            outputs=tuple(self.outputs),
            commits=tuple(self.commits),
            orders=tuple(self.orders.values()),
            trades=tuple(self.trades),
            sides=tuple(self.sides),
            processes=tuple(self.processes),
        )


def _decision(event: Any) -> str:
    if isinstance(event, Rejected):
        return "rejected"
    return "accepted" if isinstance(event, CancelAccepted) else "done"


def day() -> Trading:
    """Partial fills, a better price, an IOC rest, a self-trade, both ends of a cancel."""
    one = Trading()
    for user in (1001, 1002, 1003):
        one.deposit(user, BTC, 10**10)
        one.deposit(user, USDT, 10**15)
    price = 5 * 10**9
    sold = one.order(1001, "sell", price, 30)
    one.order(1002, "buy", price + 10**8, 10)  # at a better price than its limit
    rest = one.order(1003, "buy", price - 10**8, 7)
    one.order(1002, "buy", price, 5, ioc=True)
    one.order(1001, "buy", price, 5)  # meets its own order
    one.cancel(1003, rest)
    one.holding = True
    one.order(1003, "buy", price, 40, ioc=True)  # takes all there is; its rest is cancelled
    one.cancel(1001, sold)  # too late, but nobody knows yet
    one.release()
    one.cancel(1001, sold)  # known to be too late
    one.cancel(1002, sold)  # somebody else's
    one.order(1002, "buy", 10**13, 1000)  # more than there is
    one.withdraw(1002, BTC, 10**6)
    return one
