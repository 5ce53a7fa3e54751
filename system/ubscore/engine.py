"""The engine's outputs as UBSCore reads them: all partitions, each symbol's chain checked.

Only outputs that do something on this shard become frames. The log's position is that of the last
frame; whatever came after it is read and judged again after a restart.
"""

from system.chain import Chain
from system.holes import Verdict
from system.log import Log
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
        chain = self.chains[source.partition]
        verdict = chain.take(arrival.output, source.offset, arrival.appended_ms, self.log)
        self.positions[source.partition] = Position(
            OUTPUTS, source.partition, source.offset + 1, source.leader_epoch, source.crc, 0, 0
        )
        if verdict is not Verdict.APPLY:
            return None
        return fill(self.state, self.terms, arrival, chain.links)

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
