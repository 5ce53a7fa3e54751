"""A Settlement wakes up and writes on what others have settled since; nobody is shown the past."""

from scenarios.deployment import Deployment
from scenarios.plans_aimed import zombies
from scenarios.scenario import Scenario
from scenarios.trading import Trading
from scenarios.workloads import SECOND

scenario = Scenario(
    name="zombies",
    story=__doc__ or "",
    workload=Trading(
        operations=(120, 150),
        symbols=("BTC_USDT", "ETH_USDT"),
        lasts_ns=20 * SECOND,
        impatience=0.0,
    ),
    deployment=Deployment(
        engines=("engine-1",),
        settlements=("settlement-1", "settlement-2"),
        settings=(("settlement", "session_timeout_ms = 6000\ngather_ms = 300"),),
    ),
    plan=zombies,
    sometimes=("group rebalanced",),
)
