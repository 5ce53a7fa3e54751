"""Own: trades are numbered by a counter that a restart begins again."""

from msgspec.structs import replace

from scenarios.controls import planted
from scenarios.controls._altering import resealed
from system.engine import Engine
from system.engine.arrivals import Arrival
from system.engine.matching import Emitted


class Counts(Engine):
    """A counter is the simplest thing that works."""

    def apply(self, arrival: Arrival) -> Emitted:
        """Give each trade the next number of this life."""
        market = self.state.market(arrival.record.symbol_id)
        output = super().apply(arrival).output
        trades = []
        for trade in output.trades:
            self.counted = getattr(self, "counted", 0) + 1
            trades.append(replace(trade, trade_id=f"{output.symbol_id}-{self.counted}-1"))
        return resealed(market, replace(output, trades=tuple(trades)))


scenario = planted(__name__, __doc__ or "", "engine", "Counts", "I8 I4", "trading")
