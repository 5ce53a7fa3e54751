"""Syncs of the log take long, and power goes during them: what was told outside is still there."""

from scenarios.deployment import Deployment
from scenarios.plans_aimed import slow_syncs
from scenarios.scenario import Scenario
from scenarios.trading import Trading
from scenarios.workloads import SECOND

scenario = Scenario(
    name="slow_syncs",
    story=__doc__ or "",
    workload=Trading(operations=(130, 150), lasts_ns=13 * SECOND, impatience=0.0),
    deployment=Deployment(engines=("engine-1",), settings=(("ubscore", "batch = 1"),)),
    plan=slow_syncs,
    sometimes=("log recovered",),
)
