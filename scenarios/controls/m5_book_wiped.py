"""M5: the book is wiped at a restart, and the money stays frozen."""

from scenarios.controls import planted
from system.engine import Engine
from system.engine.book import Book


class StartsAfresh(Engine):
    """A fresh start is a good start."""

    def replay(self) -> None:
        """Forget the orders that stand."""
        super().replay()
        for market in self.state.markets.values():
            market.book = Book(market.book.lot)


scenario = planted(__name__, __doc__ or "", "engine", "StartsAfresh", "I8", "restart_mid_match")
