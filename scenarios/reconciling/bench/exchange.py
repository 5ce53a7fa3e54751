"""A made-up exchange: commands go through the programs' pure parts, and what they leave is written.

Everything is done at once: each command is decided, matched, filled and settled before the next.
"""

from typing import Any

from reports.case import content
from reports.evidence import OrderRow, OutputRow
from reports.live.sources import Answer, Cut, Settled, SettledOutputs, Span
from reports.shown import rows_of
from scenarios.reconciling.bench.written import Writing
from system.chain import Link
from system.effects import encode as encode_effects
from system.effects import of
from system.engine.matching import Market
from system.records import (
    EVENTS,
    OPERATIONS,
    ORDERS,
    OUTPUTS,
    CancelAccepted,
    CancelEnded,
    EngineOutput,
    LedgerRow,
    Operation,
    Rejected,
    Source,
    decides,
    decode_event,
    decode_output,
    decode_validated,
    encode,
)
from system.symbols import SYMBOLS
from system.topics import key_of, partition_of
from system.ubscore.arrivals import Arrival, OutputArrival
from system.ubscore.decide import decide
from system.ubscore.fills import fill
from system.ubscore.state import State
from system.ubscore.terms import Terms
from system.wal.frames import CommandFrame, EngineFrame, EpochFrame, Input

SHARDS = 2
PARTITIONS = 4
HORIZON_MS = 60_000
NOW_MS = 1_700_000_000_000


class Exchange:
    """Two shards of UBSCore, an engine and a Settlement that do everything at once."""

    def __init__(self, writing: Writing) -> None:
        self.writing = writing
        self.now_ms = NOW_MS
        self.states = {shard: State() for shard in range(1, SHARDS + 1)}
        self.terms = {
            shard: Terms(shard, SHARDS, HORIZON_MS, partitions=PARTITIONS) for shard in self.states
        }
        self.markets = {symbol.id: Market(symbol.id) for symbol in SYMBOLS}
        self.settled: dict[int, Settled] = {}
        self.settled_outputs: dict[int, SettledOutputs] = {}
        self._cancels: dict[tuple[int, str], Answer] = {}
        self._open: dict[str, OrderRow] = {}
        for shard in self.states:
            self._frame(shard, EpochFrame(1, f"{shard:016x}"))

    # -- the hops ------------------------------------------------------------------------------

    def take(self, command: Operation) -> None:
        """Carry a command through every program."""
        self.now_ms += 1
        value = encode(command)
        partition, offset = self._append(OPERATIONS, command.user_id, value)
        source = Input(OPERATIONS, partition, offset, 0, 0)
        shard = partition % SHARDS + 1
        arrival = Arrival(source, value, command, self.now_ms, self.now_ms)
        frame = decide(self.states[shard], self.terms[shard], arrival)
        self._publish(self._frame(shard, frame))

    def _append(self, topic: str, about: int, value: bytes) -> tuple[int, int]:
        partition = partition_of(key_of(about), PARTITIONS)
        return partition, self.writing.topics[topic, partition].add(value, self.now_ms)

    def _frame(self, shard: int, body: Any) -> Any:
        self.states[shard].apply(self.writing.logs[shard].add(body), body)
        return body

    def _publish(self, frame: CommandFrame | EngineFrame) -> None:
        for output in frame.outputs:
            if output.topic == EVENTS:
                event = decode_event(output.value)
                self._append(EVENTS, event.user_id, output.value)
                self._settle(event)
            else:
                self._match(output.value)

    def _match(self, value: bytes) -> None:
        validated = decode_validated(value)
        symbol = validated.symbol_id
        partition, offset = self._append(ORDERS, symbol, value)
        source = Source(topic=ORDERS, partition=partition, offset=offset)
        emitted = self.markets[symbol].apply(validated, source)
        output = decode_output(emitted.value)
        self._show(output)
        partition, offset = self._append(OUTPUTS, symbol, emitted.value)
        came = Input(OUTPUTS, partition, offset, 0, 0)
        times = self.now_ms, self.now_ms
        arrival = OutputArrival(came, emitted.value, output, *times)
        for shard in self.states:
            frame = self.fill(shard, arrival)
            if frame is not None:
                self._publish(self._frame(shard, frame))

    def fill(self, shard: int, arrival: OutputArrival) -> EngineFrame | None:
        """Return what a shard makes of an output."""
        links = self._links(arrival.source.partition)
        return fill(self.states[shard], self.terms[shard], arrival, links)

    def _links(self, partition: int) -> dict[int, Link]:
        return {
            symbol: Link(market.output_seq, market.hash)
            for symbol, market in self.markets.items()
            if market.output_seq and partition_of(key_of(symbol), PARTITIONS) == partition
        }

    # -- the tables ----------------------------------------------------------------------------

    def _show(self, output: EngineOutput) -> None:
        number = {"symbol_id": output.symbol_id, "output_seq": output.output_seq}
        self.writing.show(OutputRow(**number, hash=output.hash))
        for row in rows_of(output):
            if isinstance(row, OrderRow) and row.status == "open":
                self._open[row.order_id] = row
                continue
            if isinstance(row, OrderRow):
                self._open.pop(row.order_id, None)
            self.writing.show(row)

    def _settle(self, event: Any) -> None:
        if isinstance(event, LedgerRow):
            self.writing.row(content(event))  # type: ignore[arg-type]
        who = event.user_id, event.request_id, event.body_hash
        if isinstance(event, CancelAccepted):
            self._cancels[who[:2]] = Answer(*who, "accepted", None, None, None, None)
        elif isinstance(event, CancelEnded):
            accepted = self._cancels.pop(who[:2])
            self.writing.answer(accepted._replace(outcome=event.outcome))
        elif isinstance(event, Rejected):
            self.writing.answer(Answer(*who, "rejected", event.reason, None, None, None))
        elif decides(event):
            effects = encode_effects((of(event),))
            self.writing.answer(Answer(*who, "done", None, effects, None, None))

    # -- the cut -------------------------------------------------------------------------------

    def commit(self) -> None:
        """Let Settlement commit all that there is."""
        for partition in range(PARTITIONS):
            shard = partition % SHARDS + 1
            following = self.states[shard].number(partition) + 1
            events, outputs = (self._end(topic, partition) for topic in (EVENTS, OUTPUTS))
            self.settled[partition] = Settled(events, {shard: following})
            self.settled_outputs[partition] = SettledOutputs(outputs, self._links(partition))

    def cut(self) -> Cut:
        """Write the orders that are open; return where everything ends."""
        for row in self._open.values():
            self.writing.show(row)
        spans = {
            topic: {p: Span(0, self._end(topic, p)) for p in range(PARTITIONS)}
            for topic in (OPERATIONS, EVENTS, ORDERS, OUTPUTS)
        }
        return Cut(
            at_ms=self.now_ms,
            operations=spans[OPERATIONS],
            events=spans[EVENTS],
            settled=self.settled,
            logs={
                shard: tuple(p for p in range(PARTITIONS) if terms.owns(p))
                for shard, terms in self.terms.items()
            },
            orders=spans[ORDERS],
            outputs=spans[OUTPUTS],
            answers={p: span.high for p, span in spans[OUTPUTS].items()},
            settled_outputs=self.settled_outputs,
        )

    def _end(self, topic: str, partition: int) -> int:
        return self.writing.topics[topic, partition].count
