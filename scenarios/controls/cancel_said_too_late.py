"""Own: a cancel takes the rest out of the book, and says that it came too late."""

from msgspec.structs import replace

from scenarios.controls import planted
from scenarios.controls._altering import resealed
from system.engine import Engine
from system.engine.arrivals import Arrival
from system.engine.matching import Emitted


class Obliging(Engine):
    """Whoever cancels wants to hear that it is over."""

    def apply(self, arrival: Arrival) -> Emitted:
        """Take the order out, and say that there was none."""
        market = self.state.market(arrival.record.symbol_id)
        emitted = super().apply(arrival)
        output = emitted.output
        if output.outcome != "cancelled":
            return emitted
        return resealed(market, replace(output, outcome="order_closed", orders=()))


scenario = planted(__name__, __doc__ or "", "engine", "Obliging", "I8", "trading")
