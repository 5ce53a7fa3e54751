"""Reading the operations topic: what was asked, and what no frame has decided yet."""

import msgspec

from reports.live.folds import Blocks, hash_numbered
from reports.live.listed import Listed
from reports.live.logged import Logged
from reports.live.movements import movement_of
from reports.live.parts import Found, Tally
from reports.live.replay import undecodable
from reports.live.sources import Bounds, Cut, Entry, Sources
from reports.reconcile.codes import OPERATIONS_TOPIC
from system.records import OPERATIONS, decode_operation


class Asked:
    """The operations topic as of the cut, next to the logs that decide it."""

    def __init__(self, sources: Sources, cut: Cut, bounds: Bounds, logged: Logged) -> None:
        self.sources = sources
        self.cut = cut
        self.bounds = bounds
        self.logged = logged
        self.tally = Tally(OPERATIONS_TOPIC, "offset")
        self.blocks: Blocks[int] = Blocks()
        self.breaks = Listed(bounds.breaks_max, "operations that cannot be decoded")
        self.checked = 0

    def read(self) -> None:
        """Read the partitions whose logs could be read."""
        for partition in self.logged.partitions:
            span = self.cut.operations[partition]
            before, begin = self.checked, self.begin(partition)
            for entry in self.sources.operations(partition, begin, span.high):
                self._entry(partition, entry)
            if self.checked > before:
                self.tally.reach(f"partition {partition}", begin, span.high - 1)
        for asset, amount in self.logged.repeats.items():
            self.tally.add(asset, -amount, 0)  # sent again by clients: one effect, and copies
        self.tally.count -= self.logged.repeated
        self.tally.copies += self.logged.repeated

    def begin(self, partition: int) -> int:
        """Return the first offset that both the topic and the log can hold."""
        low = self.cut.operations[partition].low
        if not self.logged.cut_off:
            return low
        high = self.cut.operations[partition].high  # nothing tells how far it had come
        return max(low, self.logged.first.get(partition, high))

    def _entry(self, partition: int, entry: Entry) -> None:
        self.checked += 1
        value = entry.value or b""
        try:
            asked = movement_of(value)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self.breaks.add(undecodable(f"{OPERATIONS}/{partition}@{entry.offset}", error))
            return
        if asked.asset_id:
            self.tally.add(asked.asset_id, asked.delta)
        if entry.offset < self.logged.next.get(partition, 0):
            self.blocks.add(partition, entry.offset, hash_numbered(entry.offset, hash(value)))
            return
        command = decode_operation(value)
        waiting = Found(
            "",
            asked.asset_id,
            -asked.delta,
            -1 if asked.asset_id else 0,
            entry.timestamp_ms,
            command.user_id,
            command.request_id,
            f"{OPERATIONS}/{partition}@{entry.offset}",
            "ubscore has not decided it",
        )
        self.logged.from_topic.late(waiting, self.bounds.max_age_ms)
