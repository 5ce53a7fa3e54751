"""Reading the engine's outputs: their chain, what each must do on which shard, what it answers."""

from collections.abc import Iterator

from reports.amounts import money
from reports.breaks import Break
from reports.fills import moves
from reports.live.folds import Blocks, hash_numbered
from reports.live.listed import Listed
from reports.live.orders.arrivals import Arrival, arrivals
from reports.live.orders.homes import Homes, net
from reports.live.orders.kinds import TOLD, Kinds
from reports.live.orders.turns import Turn, Turns
from reports.live.parts import Found, Parts, Tally
from reports.live.sources import Bounds, Cut, Sources
from reports.reconcile.codes import ORDERS_TOPIC, OUTPUTS_TOPIC, TABLES
from system.chain import Link
from system.records import OUTPUTS, EngineOutput, decode_output, sealed
from system.topics import key_of, partition_of

Lane = tuple[int, int]  # shard, symbol

NEVER = 2**63


Due = Arrival[EngineOutput]  # in its turn


class Walk:
    """Reads one partition in the order in which programs apply it; goes on where it was.

    What is wrong goes into `breaks`; who reads once more needs none.
    """

    def __init__(
        self, sources: Sources, partition: int, low: int, breaks: Listed | None = None
    ) -> None:
        self.sources = sources
        self.partition = partition
        self.low = low
        self.turns: dict[int, Turns] = {}
        self.links: dict[int, Link] = {}
        self.beyond: dict[int, Due] = {}  # the first that was discarded, while a hole is open
        self.records = 0
        self.breaks = breaks or Listed()

    def fork(self) -> "Walk":
        """Return another walk that goes on from here."""
        other = Walk(self.sources, self.partition, self.low)
        other.turns = {symbol: Turns(turns.next) for symbol, turns in self.turns.items()}
        other.links = dict(self.links)
        return other

    def read(self, low: int, high: int) -> Iterator[Due]:
        """Yield what comes in its turn between two offsets."""
        entries = self.sources.outputs(self.partition, low, high)
        where = f"{OUTPUTS}/{self.partition}"
        for due in arrivals(entries, where, decode_output, self.breaks):
            self.records += 1
            output = due.record
            turns = self.turns.setdefault(output.symbol_id, Turns(0 if self.low else 1))
            turn = turns.take(output.output_seq, due.hashed)
            if turn is Turn.OTHER:
                self._broken("TWO_CONTENTS", due, "the same bytes under the same number", "others")
            elif turn is Turn.BEYOND:
                self.beyond.setdefault(output.symbol_id, due)
            elif turn is Turn.NOW:
                self.beyond.pop(output.symbol_id, None)
                self._chain(due)
                yield due

    def accuse_holes(self, before_ms: int) -> None:
        """Accuse the holes that were already open at a time."""
        for symbol, due in sorted(self.beyond.items()):
            if due.timestamp_ms < before_ms:
                missing = self.turns[symbol].next
                self._broken("OUTPUT_MISSING", due, f"output {missing} before it", "a hole")

    def _chain(self, due: Due) -> None:
        output = due.record
        last = self.links.get(output.symbol_id)
        before = last.hash if last is not None else Link().hash
        begins = last is None and self.low
        if not sealed(output):
            self._broken("NOT_SEALED", due, "the hash of its content", output.hash)
        elif output.previous_hash != before and not begins:
            self._broken("CHAIN_BROKEN", due, f"after {before}", f"after {output.previous_hash}")
        self.links[output.symbol_id] = Link(output.output_seq, output.hash)

    def _broken(self, code: str, due: Due, expected: str, found: str) -> None:
        output = due.record
        self.breaks.add(
            Break(
                invariant="I9",
                code=code,
                where=f"output {output.output_seq} of symbol {output.symbol_id} ({due.place})",
                expected=expected,
                found=found,
                user_id=output.user_id,
                request_id=output.request_id,
                cause="the chain of a symbol's outputs does not hold",
            )
        )


class Emitted:
    """The outputs as of the cut. `read` comes first, `close` when the logs are known."""

    def __init__(self, sources: Sources, cut: Cut, bounds: Bounds, homes: Homes) -> None:
        self.sources = sources
        self.cut = cut
        self.bounds = bounds
        self.homes = homes
        self.kinds = Kinds()
        self.tally = Tally(OUTPUTS_TOPIC, "output")
        self.walks: dict[int, Walk] = {}
        self.at_commit: dict[int, Walk] = {}  # as of what Settlement has committed
        self.blocks: Blocks[Lane] = Blocks()  # what shards have to take in
        self.answers: Blocks[int] = Blocks()  # by the offset of the input in its partition
        self.answered: dict[int, int] = {}  # the offset after the last input that has an output
        self.answers_from: dict[int, int] = {}
        self.answers_tally = Tally(OUTPUTS_TOPIC, "output")
        self.from_orders = Parts(ORDERS_TOPIC, OUTPUTS_TOPIC, cut.at_ms, bounds.breaks_max)
        self.unsettled_tally = Tally(OUTPUTS_TOPIC, "output")
        self.to_tables = Parts(OUTPUTS_TOPIC, TABLES, cut.at_ms, bounds.breaks_max)
        self.breaks = Listed(bounds.breaks_max, "breaks in the engine's outputs")
        self.checked = 0
        self._first: dict[int, int] = {}
        self._settled: dict[int, int] = {}

    def walk(self, partition: int, breaks: Listed | None = None) -> "Walk":
        """Return a walk from where a partition's retained outputs begin."""
        return Walk(self.sources, partition, self.cut.outputs[partition].low, breaks)

    def settled(self, symbol_id: int) -> int:
        """Return the number of the last output of a symbol that was settled at the cut."""
        return self._settled.get(symbol_id, 0)

    def first(self, symbol_id: int) -> int:
        """Return the number of a symbol's first retained output; one out of reach if none is."""
        found = self._first.get(symbol_id)
        if found is not None:
            return found
        home = partition_of(key_of(symbol_id), max(len(self.cut.outputs), 1))
        span = self.cut.outputs.get(home)
        return 1 if span is None or not span.low else NEVER

    def read(self) -> Iterator[tuple[bool, Due]]:
        """Read all partitions up to the cut; yield each output, and whether it was settled."""
        for partition, span in sorted(self.cut.outputs.items()):
            walk = self.walks[partition] = self.walk(partition, self.breaks)
            settled = self.cut.settled_outputs_offset(partition)
            for due in walk.read(span.low, settled):
                self._take(partition, due)
                yield True, due
            self.at_commit[partition] = walk.fork()
            for symbol, turns in walk.turns.items():
                self._settled[symbol] = max(turns.last, self._settled.get(symbol, 0))
            for due in walk.read(settled, span.high):
                self._take(partition, due)
                self._in_flight(due)
                yield False, due
            if span.low and partition not in self.answered and partition in self.cut.orders:
                self.answers_from[partition] = self.cut.orders[partition].high  # none is retained
            walk.accuse_holes(self.cut.at_ms - self.bounds.max_age_ms)
            self.checked += walk.records
            self._agree_with_commit(partition)
            for symbol, turns in sorted(walk.turns.items()):
                self._first[symbol] = min(turns.first, self._first.get(symbol, turns.first))
                self.tally.copies += turns.copies
                self.tally.reach(f"symbol {symbol}", turns.first, turns.last)

    def _take(self, partition: int, due: Due) -> None:
        output, source = due.record, due.record.source
        asked = self.cut.orders.get(source.partition)
        retained = asked is not None and source.offset >= asked.low
        if retained and due.offset < self.cut.answers.get(partition, 0):
            self.answers_tally.add(0, 0)
            if self.cut.outputs[partition].low:  # earlier inputs may have had their answers
                self.answers_from.setdefault(source.partition, source.offset)
            self.answered[source.partition] = source.offset + 1
            answered = hash((source.offset, output.request_id, output.order_id))
            self.answers.add(source.partition, source.offset, answered)
        for move in moves(output):
            delta = move.delta_avail, move.delta_frozen
            self.kinds.add(TOLD, move.event_type, move.asset_id, *delta)
        for asset, amount, _ in net(moves(output)):
            if amount:
                self.breaks.add(_minted(due, asset, amount))
        for shard, these in self.homes.concerned(output).items():
            seq = output.output_seq
            self.blocks.add((shard, output.symbol_id), seq, hash_numbered(seq, due.hashed))
            for asset, amount, count in net(these):
                self.tally.add(asset, amount, count)

    def _in_flight(self, due: Due) -> None:
        output = due.record
        cause = "settlement has not committed it"
        who = output.user_id, output.request_id, due.place
        self.unsettled_tally.add(0, 0)
        late = Found("", 0, 0, -1, due.timestamp_ms, *who, cause)
        self.to_tables.late(late, self.bounds.max_age_ms)

    def _agree_with_commit(self, partition: int) -> None:
        settled = self.cut.settled_outputs.get(partition)
        if settled is None:
            return
        span, links = self.cut.outputs[partition], self.at_commit[partition].links
        where = f"{OUTPUTS}/{partition}, the committed offset of Settlement"
        if settled.offset > span.high:
            expected, found, code = f"at most {span.high}", f"{settled.offset}", "COMMIT_AHEAD"
        elif settled.links is None:
            expected, found = "the state as of that offset", "metadata that cannot be read"
            code = "COMMIT_STATE"
        else:
            says = {symbol: settled.links.get(symbol) for symbol in links}
            if says == links:
                return
            expected, found, code = f"{links}", f"{says}", "COMMIT_STATE"
        self.breaks.add(
            Break(
                invariant="I12",
                code=code,
                where=where,
                expected=expected,
                found=found,
                cause="a restart of Settlement would go on from a place that is not where it was",
            )
        )


def _minted(due: Due, asset: int, amount: int) -> Break:
    output = due.record
    return Break(
        invariant="I1",
        code="FILL_NOT_CONSERVED",
        where=f"output {output.output_seq} of symbol {output.symbol_id} ({due.place})",
        expected="what one gives, another one gets",
        found=money(amount, asset, sign=True),
        amount=amount,
        asset_id=asset,
        user_id=output.user_id,
        request_id=output.request_id,
        cause="the engine's output creates or destroys money",
    )
