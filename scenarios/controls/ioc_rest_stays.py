"""Own: the rest of an immediate-or-cancel order stays in the book."""

from msgspec.structs import replace

from scenarios.controls import planted
from system.engine import Engine
from system.engine.arrivals import Arrival
from system.engine.matching import Emitted
from system.records import ValidatedOrder


class NeverCancels(Engine):
    """A rest is a rest."""

    def apply(self, arrival: Arrival) -> Emitted:
        """Treat every order as good till cancelled."""
        record = arrival.record
        if isinstance(record, ValidatedOrder) and record.kind == "limit":
            record = replace(record, time_in_force="gtc")
        return super().apply(arrival._replace(record=record))


scenario = planted(__name__, __doc__ or "", "engine", "NeverCancels", "I8", "trading")
