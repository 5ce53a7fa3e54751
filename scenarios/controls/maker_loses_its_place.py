"""Own: an order that was filled in part goes to the end of its price."""

from scenarios.controls import planted
from system.engine import Engine
from system.engine.arrivals import Arrival
from system.engine.matching import Emitted


class GoesToTheEnd(Engine):
    """It has had its turn."""

    def apply(self, arrival: Arrival) -> Emitted:
        """Put what is left of a maker behind the others."""
        market = self.state.market(arrival.record.symbol_id)
        emitted = super().apply(arrival)
        for state in emitted.output.orders[:-1]:
            order = market.book.orders.get(state.order_id)
            if order is not None:
                side = market.book.bids if order.side == "buy" else market.book.asks
                side.remove(order)
                side.add(order)
        return emitted


scenario = planted(__name__, __doc__ or "", "engine", "GoesToTheEnd", "I8", "cancel_races_fill")
