"""An output of the engine is lost or altered: all who read it stop and say which one it is."""

from scenarios.deployment import Deployment
from scenarios.plans import engine_gap
from scenarios.scenario import Scenario
from scenarios.trading import Trading
from scenarios.workloads import SECOND

_SOON = "hole_ms_max = 1500"  # how long a hole may be open before it is a loss

scenario = Scenario(
    name="engine_gap",
    story=__doc__ or "",
    workload=Trading(users=6, operations=(60, 80), impatience=0.1),
    deployment=Deployment(
        engines=("engine-1",),
        settlements=("settlement-1", "settlement-2"),
        settings=(("ubscore", _SOON), ("settlement", _SOON)),
    ),
    plan=engine_gap,
    settles_ns=20 * SECOND,
    sometimes=(
        "output gone, offset empty",
        "output gone, offset taken",
        "output altered",
        "output unreadable",
    ),
)
