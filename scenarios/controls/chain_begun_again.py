"""Own: the chain of hashes begins again at a restart."""

from scenarios.controls import planted
from system.engine import Engine
from system.records import GENESIS


class BeginsAgain(Engine):
    """The hash is only of use within a life."""

    def replay(self) -> None:
        """Forget the last hash."""
        super().replay()
        for market in self.state.markets.values():
            market.hash = GENESIS


scenario = planted(__name__, __doc__ or "", "engine", "BeginsAgain", "I9", "restart_mid_match")
