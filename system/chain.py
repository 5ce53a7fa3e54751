"""The chain of a symbol's outputs: which to apply, which to drop, where a hole is open.

The rules are those of `system.numbering`, with the hash of the output before in place of the epoch.
Nothing here touches Kafka.
"""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from system.errors import Halt
from system.holes import Hole, Sequences, Verdict
from system.records import GENESIS, EngineOutput, sealed


class Link(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The end of a symbol's chain: number and hash of its last output."""

    output_seq: int = 0
    hash: str = GENESIS


class Chain(Sequences[EngineOutput]):
    """Judges the outputs of one partition in the order of their offsets."""

    record: ClassVar[str] = "output"
    of: ClassVar[str] = "symbol"
    sender: ClassVar[str] = "engine"

    def __init__(self, where: str, links: Mapping[int, Link], hole_ms_max: int) -> None:
        super().__init__(where, hole_ms_max)
        self.links = dict(links)

    def judge(self, output: EngineOutput, offset: int, append_time_ms: int) -> Verdict:
        """Return what to do with an output, or halt where it does not continue the chain."""
        symbol_id, last = output.symbol_id, self.links.get(output.symbol_id, Link())
        expected = last.output_seq + 1
        if not sealed(output):
            raise self._broken(output, offset, "its hash is not that of its content")
        if output.output_seq == last.output_seq and output.hash != last.hash:
            raise self._broken(output, offset, f"the one applied before had hash {last.hash}")
        if output.output_seq < expected:
            return Verdict.DUPLICATE
        if output.output_seq > expected:
            hole = Hole(expected=expected, offset=offset, append_time_ms=append_time_ms)
            return self.discard(symbol_id, output.output_seq, hole)
        if output.previous_hash != last.hash:
            raise self._broken(
                output, offset, f"it follows {output.previous_hash}, the one before is {last.hash}"
            )
        self.links[symbol_id] = Link(output.output_seq, output.hash)
        self.holes.pop(symbol_id, None)
        return Verdict.APPLY

    def _broken(self, output: EngineOutput, offset: int, why: str) -> Halt:
        return Halt(
            "chain_broken",
            f"{self.where}, offset {offset}: output {output.output_seq} of symbol"
            f" {output.symbol_id} does not continue the chain: {why}",
        )
