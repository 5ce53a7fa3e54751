"""Own: fees are rounded up, in favour of the house."""

from msgspec.structs import replace

from scenarios.controls import planted
from scenarios.controls._altering import resealed
from system.engine import Engine
from system.engine.arrivals import Arrival
from system.engine.matching import Emitted


class RoundsUp(Engine):
    """A fraction of a unit is a unit."""

    def apply(self, arrival: Arrival) -> Emitted:
        """Take one unit more of every fee."""
        market = self.state.market(arrival.record.symbol_id)
        output = super().apply(arrival).output
        trades = tuple(
            replace(
                trade,
                taker=replace(
                    trade.taker, fee=trade.taker.fee + 1, received=trade.taker.received - 1
                ),
            )
            for trade in output.trades
        )
        return resealed(market, replace(output, trades=trades))


scenario = planted(__name__, __doc__ or "", "engine", "RoundsUp", "I8", "trading")
