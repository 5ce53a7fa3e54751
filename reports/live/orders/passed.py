"""Reading the orders topic: what UBSCore let through, next to its log and to the answers."""

from collections.abc import Callable, Collection, Iterator

from reports.live.folds import Blocks, hash_numbered
from reports.live.listed import Listed
from reports.live.orders.arrivals import Arrival, arrivals
from reports.live.orders.emitted import Emitted
from reports.live.orders.kinds import TOLD
from reports.live.orders.turns import Turn, Turns
from reports.live.parts import Found, Parts, Tally
from reports.live.sources import Bounds, Cut, Sources
from reports.reconcile.codes import LOG, ORDERS_TOPIC, meaning
from system.records import ORDERS, Validated, ValidatedOrder, decode_validated
from system.wal.frames import Output
from system.wal.packing import Frame

Lane = tuple[int, int]  # partition, shard


Order = Arrival[Validated]  # or a cancel; in its turn


class Walk:
    """Reads one partition in the order in which the engine applies it.

    `other` is told of what has another content under a number that was applied.
    """

    def __init__(
        self,
        sources: Sources,
        partition: int,
        low: int,
        breaks: Listed | None = None,
        other: Callable[[Order], None] = lambda _: None,
    ) -> None:
        self.sources = sources
        self.partition = partition
        self.low = low
        self.turns: dict[int, Turns] = {}
        self.other = other
        self.beyond: dict[int, Order] = {}  # per shard, the highest that came before its turn
        self.records = 0
        self.breaks = breaks or Listed()

    def read(self, high: int) -> Iterator[Order]:
        """Yield what comes in its turn up to an offset."""
        entries = self.sources.orders(self.partition, self.low, high)
        where = f"{ORDERS}/{self.partition}"
        for order in arrivals(entries, where, decode_validated, self.breaks):
            self.records += 1
            record = order.record
            turns = self.turns.setdefault(record.shard, Turns(0 if self.low else 1))
            turn = turns.take(record.n, order.hashed)
            if turn is Turn.NOW:
                yield order
            elif turn is Turn.OTHER:
                self.other(order)
            elif turn is Turn.BEYOND:
                highest = self.beyond.setdefault(record.shard, order)
                if record.n > highest.record.n:
                    self.beyond[record.shard] = order


class Passed:
    """The orders topic as of the cut."""

    def __init__(self, sources: Sources, cut: Cut, bounds: Bounds, emitted: Emitted) -> None:
        self.sources = sources
        self.cut = cut
        self.bounds = bounds
        self.emitted = emitted
        self.from_log = Parts(LOG, ORDERS_TOPIC, cut.at_ms, bounds.breaks_max)
        self.to_outputs = emitted.from_orders
        self.blocks: Blocks[Lane] = Blocks()
        self.logged: Blocks[Lane] = Blocks()  # what the logs say of the same numbers
        self.asked: Blocks[int] = Blocks()  # by offset
        self.turns: dict[Lane, Turns] = {}
        self.sent_first: dict[Lane, int] = {}
        self.sent_last: dict[Lane, int] = {}  # the last number that a log gave
        self.beyond: dict[Lane, Order] = {}
        self.cut_off = False
        self.log_tally = Tally(LOG, "LSN")
        self.topic_tally = Tally(ORDERS_TOPIC, "n")
        self.asked_tally = Tally(ORDERS_TOPIC, "offset")
        self.breaks = Listed(bounds.breaks_max, "orders that cannot be decoded")
        self.checked = 0

    def walk(self, partition: int) -> Iterator[Order]:
        """Read a partition once more."""
        span = self.cut.orders[partition]
        return Walk(self.sources, partition, span.low).read(span.high)

    def due(self, partition: int, offset: int) -> bool:
        """Whether the retained outputs must hold the answer to an input."""
        first = self.emitted.answers_from.get(partition, 0)
        return first <= offset < self.emitted.answered.get(partition, 0)

    def read(self) -> None:
        """Read all partitions up to the cut; the outputs are known."""
        for partition, span in sorted(self.cut.orders.items()):
            walk = Walk(self.sources, partition, span.low, self.breaks, self._other)
            for order in walk.read(span.high):
                self._take(partition, order)
            self.turns.update({(partition, s): turns for s, turns in walk.turns.items()})
            self.beyond.update({(partition, s): order for s, order in walk.beyond.items()})
            self.checked += walk.records

    def _other(self, order: Order) -> None:
        code, cause = meaning(LOG, ORDERS_TOPIC, "duplicate")
        self.topic_tally.add(0, 0)
        self.from_log.accuse(about(order, code, 1, cause))

    def _take(self, partition: int, order: Order) -> None:
        record = order.record
        lane = partition, record.shard
        if record.shard in self.cut.logs:
            self.topic_tally.add(0, 0)
            self.blocks.add(lane, record.n, hash_numbered(record.n, order.hashed))
        if isinstance(record, ValidatedOrder):
            asset, amount = lock_of(record)
            self.emitted.kinds.add(TOLD, "lock", asset, -amount, amount)
        if order.offset < self.emitted.answers_from.get(partition, 0):
            return  # its answer is no longer retained
        self.asked_tally.add(0, 0)
        if self.due(partition, order.offset):
            asked = hash((order.offset, record.request_id, record.order_id))
            self.asked.add(partition, order.offset, asked)
        else:
            cause = "the engine has not answered it"
            self.to_outputs.late(about(order, "", -1, cause), self.bounds.max_age_ms)

    def sent(self, frame: Frame, output: Output, at_ms: int) -> None:
        """Take in what a frame has to say to the engine."""
        record = decode_validated(output.value)
        lane = output.partition, record.shard
        turns = self.turns.get(lane)
        self.sent_first.setdefault(lane, output.n)
        self.sent_last[lane] = output.n
        span = self.cut.orders.get(output.partition)
        if span is None or (turns is None and span.low) or (turns and output.n < turns.first):
            return  # no longer retained
        self.log_tally.add(0, 0)
        if turns is None or output.n > turns.last:
            cause = "ubscore has not told the engine"
            where = f"{frame.file}@{frame.offset} (LSN {frame.lsn}) n {output.n}"
            self.from_log.late(
                Found("", 0, 0, -1, at_ms, record.user_id, record.request_id, where, cause),
                self.bounds.max_age_ms,
            )
            if isinstance(record, ValidatedOrder):
                asset, amount = lock_of(record)
                self.emitted.kinds.wait(TOLD, "lock", asset, -amount, amount, by=-1)
            return
        self.logged.add(lane, output.n, hash_numbered(output.n, hash(output.value)))

    def close(self, readable: Collection[int], *, cut_off: bool) -> None:
        """Accuse what waits for its turn and was never logged: its turn will not come.

        What was told by frames that are gone is explained.
        """
        self.cut_off = cut_off
        if cut_off:
            for partition in sorted(self.cut.orders):
                for order in self.walk(partition):
                    self._gone(partition, order)
        for lane, order in sorted(self.beyond.items()):
            if lane[1] in readable and order.record.n > self.sent_last.get(lane, 0):
                code, cause = meaning(LOG, ORDERS_TOPIC, "orphan")
                self.from_log.accuse(about(order, code, 0, cause))

    def logged_from(self, lane: Lane) -> int:
        """Return from which number on the log at hand must hold what was told."""
        if not self.cut_off:
            return 1
        return self.sent_first.get(lane, self.turns[lane].next if lane in self.turns else 1)

    def _gone(self, partition: int, order: Order) -> None:
        record = order.record
        lane = partition, record.shard
        if record.shard in self.cut.logs and record.n < self.logged_from(lane):
            self.logged.add(lane, record.n, hash_numbered(record.n, order.hashed))
            cause = "older than the log's first frame"
            self.from_log.explain(Found("RETENTION", 0, 0, 1, None, cause=cause))


def lock_of(order: ValidatedOrder) -> tuple[int, int]:
    """Return which asset an order locks, and how much of it."""
    if order.side == "buy":
        return order.quote_asset_id, order.price * (order.quantity // order.lot)
    return order.base_asset_id, order.quantity


def about(order: Order, code: str, count: int, cause: str) -> Found:
    """Return a part about an order or cancel."""
    record = order.record
    who = record.user_id, record.request_id
    return Found(code, 0, 0, count, order.timestamp_ms, *who, order.place, cause)
