"""T3, in disguise: keys are too old after five seconds, whatever was configured."""

from msgspec.structs import replace

from scenarios.controls import planted
from system.ubscore import UBSCore
from system.ubscore.settings import Settings

SHORT_MS = 5_000


class ForgetsSoon(UBSCore):
    """Nobody repeats a request after that long."""

    def __init__(self, settings: Settings) -> None:
        core = replace(settings.ubscore, horizon_ms=SHORT_MS)
        super().__init__(replace(settings, ubscore=core))


scenario = planted(__name__, __doc__ or "", "ubscore", "ForgetsSoon", "I13")
