"""The engine's outputs as UBSCore reads them: all partitions, each symbol's chain checked.

Only outputs that do something on this shard become frames. The log's position is that of the last
frame; whatever came after it is read and judged again after a restart.
"""

from system.chain import Chain
from system.log import Log
from system.numbering import Verdict
from system.records import OUTPUTS
from system.ubscore.arrivals import OutputArrival
from system.ubscore.fills import fill
from system.ubscore.state import State
from system.ubscore.terms import Terms
from system.wal import frames
from system.wal.frames import EngineFrame, Position


class EngineOutputs:
    """How far the engine's outputs were judged, which may be further than the log knows."""

    def __init__(self, state: State, terms: Terms, hole_ms_max: int, log: Log) -> None:
        self.state = state
        self.terms = terms
        self.log = log
        count = terms.partitions
        self.positions = {p: state.position(OUTPUTS, p) for p in range(count)}
        self.chains = {
            p: Chain(f"{OUTPUTS}[{p}]", state.links_of(p, count), hole_ms_max) for p in range(count)
        }

    def judge(self, arrival: OutputArrival) -> EngineFrame | None:
        """Take in an output; return the frame of what it does here, if it does anything."""
        source = arrival.source
        verdict = self._verdict(arrival)
        self.positions[source.partition] = Position(
            OUTPUTS, source.partition, source.offset + 1, source.leader_epoch, source.crc, 0, 0
        )
        if verdict is not Verdict.APPLY:
            return None
        return fill(self.state, self.terms, arrival, self.chains[source.partition].links)

    def _verdict(self, arrival: OutputArrival) -> Verdict:
        chain, symbol_id = self.chains[arrival.source.partition], arrival.output.symbol_id
        was_open = symbol_id in chain.holes
        offset = arrival.source.offset
        verdict = chain.judge(arrival.output, offset, arrival.appended_ms)
        if verdict is Verdict.BEYOND and not was_open:
            missing = chain.holes[symbol_id].expected
            self.log.warning("hole", where=chain.where, offset=offset, missing=missing)
        elif was_open and symbol_id not in chain.holes:
            self.log.info("hole_closed", where=chain.where, offset=offset, symbol=symbol_id)
        return verdict

    @property
    def holes(self) -> int:
        """How many symbols miss their next output."""
        return sum(len(chain.holes) for chain in self.chains.values())

    @property
    def links(self) -> tuple[frames.Link, ...]:
        """The last output of every symbol."""
        return tuple(
            frames.Link(symbol_id, link.output_seq, link.hash)
            for chain in self.chains.values()
            for symbol_id, link in chain.links.items()
        )
