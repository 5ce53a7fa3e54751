"""The streams of a deployment with orders, out of a day that a test made and damaged."""

from collections.abc import Iterator
from typing import Any

import msgspec

from reports.live.sources import Account, Answer, Cut, SettledOutputs
from reports.shown import Shown
from system.chain import Link
from system.records import EVENTS, OPERATIONS, ORDERS, OUTPUTS, decode_output
from tests.reports.build import PARTITIONS
from tests.reports.live.memory import Memory
from tests.reports.trading import Trading


class Traded(Memory):
    """A day of one shard as sources; `settled_outputs` holds offsets, else all are settled."""

    build: Any

    def __init__(
        self,
        one: Trading,
        *,
        settled: dict[int, int] | None = None,
        settled_outputs: dict[int, int] | None = None,
    ) -> None:
        super().__init__(one, settled=settled)  # type: ignore[arg-type]
        self.settled_outputs = settled_outputs
        self.answers: dict[int, int] | None = None
        topics = (OPERATIONS, EVENTS, ORDERS, OUTPUTS)
        self.high = {(t, p): one.offsets.get((t, p), 0) for t in topics for p in range(PARTITIONS)}
        self.links: dict[int, Link] | None = None

    def cut(self) -> Cut:
        settled = {p: self._settled_outputs(p) for p in range(PARTITIONS)}
        ends = {p: self.high[OUTPUTS, p] for p in range(PARTITIONS)}
        return msgspec.structs.replace(
            super().cut(),
            orders=self._spans(ORDERS),
            outputs=self._spans(OUTPUTS),
            answers=ends if self.answers is None else self.answers,
            settled_outputs=settled,
        )

    def _settled_outputs(self, partition: int) -> SettledOutputs:
        high = self.high[OUTPUTS, partition]
        offset = high if self.settled_outputs is None else self.settled_outputs.get(partition, 0)
        links: dict[int, Link] = {}
        for entry in self.outputs(partition, 0, offset):
            output = decode_output(entry.value or b"")
            if output.output_seq == links.get(output.symbol_id, Link()).output_seq + 1:
                links[output.symbol_id] = Link(output.output_seq, output.hash)
        return SettledOutputs(offset, links if self.links is None else self.links)

    def _next_n(self, partition: int) -> int:
        if self.settled is None:
            return int(self.build.state.number(partition, EVENTS)) + 1
        return super()._next_n(partition)

    def output_ends(self) -> dict[int, int]:
        return {p: self.high[OUTPUTS, p] for p in range(PARTITIONS)}

    def shown(self) -> Iterator[Shown]:
        one = self.build
        for row in (*one.outputs, *one.trades, *one.sides, *one.orders.values()):
            hidden = {name: None for name in ("durable_ns",) if hasattr(row, name)}
            yield msgspec.structs.replace(row, **hidden)

    def requests(self) -> Iterator[Answer]:
        for r in self.build.requests.values():
            yield Answer(
                *(r.user_id, r.request_id, r.body_hash, r.decision, r.reason),
                *(r.effects, r.outcome, r.expired),
            )

    def users_assets(self) -> Iterator[Account]:
        return iter(sorted({(row.user_id, row.asset_id) for row in self.build.rows}))
