"""Own: makers pay what takers should, and the other way round."""

from msgspec.structs import replace

from scenarios.controls import planted
from system.ubscore import UBSCore
from system.ubscore.settings import Settings


class SwapsFees(UBSCore):
    """Who takes, makes the market."""

    def __init__(self, settings: Settings) -> None:
        core = settings.ubscore
        core = replace(core, maker_ppm=core.taker_ppm, taker_ppm=core.maker_ppm)
        super().__init__(replace(settings, ubscore=core))


scenario = planted(__name__, __doc__ or "", "ubscore", "SwapsFees", "I13", "trading")
