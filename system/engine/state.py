"""The engine's state: the fold of its input, and what a snapshot holds of it."""

from collections.abc import Iterable

import msgspec

from system.engine.matching import RULES, Market, MarketState, resume
from system.errors import Halt
from system.numbering import Expected, Numbering
from system.records import ORDERS

VERSION = 1  # of a snapshot's content


class Part(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A part of a snapshot."""


class Position(Part, frozen=True):
    """Where an input partition goes on, and what is expected of each shard there."""

    partition: int
    next_offset: int = 0
    leader_epoch: int = -1
    crc: int = 0
    shards: dict[int, Expected] = msgspec.field(default_factory=dict)


class Contents(Part, frozen=True):
    """What a snapshot holds; `delivered` is the next offset of each output partition.

    An output partition may end beyond that offset, never below it.
    """

    rules: int
    positions: list[Position]
    delivered: dict[int, int]
    markets: list[MarketState]


class State:
    """Markets, input positions and numbers of one instance."""

    def __init__(self, partitions: Iterable[int], hole_ms_max: int) -> None:
        self.rules = RULES
        self.hole_ms_max = hole_ms_max
        self.positions = {p: Position(p) for p in partitions}
        self.numberings = {p: self._numbering(at) for p, at in self.positions.items()}
        self.delivered = dict.fromkeys(self.positions, 0)
        self.markets: dict[int, Market] = {}

    def market(self, symbol_id: int) -> Market:
        """Return a symbol's market; a new symbol opens one."""
        found = self.markets.get(symbol_id)
        if found is None:
            found = self.markets[symbol_id] = Market(symbol_id)
        return found

    def pass_over(self, partition: int, offset: int, leader_epoch: int, crc: int) -> None:
        """Note that a record was judged, and what identifies it."""
        self.positions[partition] = Position(partition, offset + 1, leader_epoch, crc)

    def encode(self) -> bytes:
        """Return the content of a snapshot."""
        positions = [
            msgspec.structs.replace(at, shards=dict(sorted(self.numberings[p].shards.items())))
            for p, at in sorted(self.positions.items())
        ]
        markets = [market.state for _, market in sorted(self.markets.items())]
        return _encode(Contents(self.rules, positions, self.delivered, markets))

    def restore(self, name: str, content: bytes | memoryview) -> None:
        """Take over the content of a snapshot, which passed its checksum."""
        try:
            contents = _decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Halt("snapshot_damaged", f"{name}: whole, but unreadable: {error}") from None
        positions = {at.partition: at for at in contents.positions}
        if positions.keys() != self.positions.keys():
            raise Halt(
                "snapshot_foreign",
                f"{name} is of partitions {sorted(positions)}, this instance owns"
                f" {sorted(self.positions)}",
            )
        self.rules = contents.rules
        self.positions = positions
        self.numberings = {p: self._numbering(at) for p, at in positions.items()}
        self.delivered = dict(contents.delivered)
        self.markets = resume(contents.markets)

    def _numbering(self, at: Position) -> Numbering:
        where = f"{ORDERS}[{at.partition}]"
        return Numbering(where, at.shards, self.hole_ms_max, shared=True)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Contents).decode
