"""Own: outputs carry the time at which they are made, so a restart makes others."""

import time

from msgspec.structs import replace

from scenarios.controls import planted
from scenarios.controls._altering import resealed
from system.engine import Engine
from system.engine.arrivals import Arrival
from system.engine.matching import Emitted


class Stamps(Engine):
    """When it was matched is what counts."""

    def apply(self, arrival: Arrival) -> Emitted:
        """Stamp the output."""
        market = self.state.market(arrival.record.symbol_id)
        output = super().apply(arrival).output
        return resealed(market, replace(output, created_at=time.time_ns() // 1_000_000))


scenario = planted(__name__, __doc__ or "", "engine", "Stamps", "I11 I9", "trading")
