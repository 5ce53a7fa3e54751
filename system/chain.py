"""The chain of a symbol's outputs: which to apply, which to drop, where a hole is open.

The rules are those of `system.numbering`, with the hash of the output before in place of the epoch.
Nothing here touches Kafka.
"""

from collections.abc import Mapping

import msgspec

from system.errors import Halt
from system.numbering import Verdict
from system.records import GENESIS, EngineOutput, sealed


class Link(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The end of a symbol's chain: number and hash of its last output."""

    output_seq: int = 0
    hash: str = GENESIS


class Hole(msgspec.Struct, frozen=True, kw_only=True):
    """A missing output, found by one that came too early."""

    expected: int
    offset: int  # of the first discarded record
    append_time_ms: int  # when the broker appended that one


class Chain:
    """Judges the outputs of one partition in the order of their offsets."""

    def __init__(self, where: str, links: Mapping[int, Link], hole_ms_max: int) -> None:
        self.where = where
        self.links = dict(links)
        self.hole_ms_max = hole_ms_max
        self.holes: dict[int, Hole] = {}

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
            self._discard(output, expected, offset, append_time_ms)
            return Verdict.BEYOND
        if output.previous_hash != last.hash:
            raise self._broken(
                output, offset, f"it follows {output.previous_hash}, the one before is {last.hash}"
            )
        self.links[symbol_id] = Link(output.output_seq, output.hash)
        self.holes.pop(symbol_id, None)
        return Verdict.APPLY

    def _discard(
        self, output: EngineOutput, expected: int, offset: int, append_time_ms: int
    ) -> None:
        """Note the hole; halt if the engine goes on long after it should have closed it."""
        hole = self.holes.get(output.symbol_id)
        if hole is None:
            self.holes[output.symbol_id] = Hole(
                expected=expected, offset=offset, append_time_ms=append_time_ms
            )
        elif append_time_ms - hole.append_time_ms > self.hole_ms_max:
            raise Halt(
                "record_missing",
                f"{self.where}: output {hole.expected} of symbol {output.symbol_id} is missing"
                f" since offset {hole.offset}; the engine had {self.hole_ms_max} ms to send it"
                f" again, but went on with output {output.output_seq} at offset {offset}",
            )

    def _broken(self, output: EngineOutput, offset: int, why: str) -> Halt:
        return Halt(
            "chain_broken",
            f"{self.where}, offset {offset}: output {output.output_seq} of symbol"
            f" {output.symbol_id} does not continue the chain: {why}",
        )
