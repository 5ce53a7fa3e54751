"""Requests are repeated after their keys are forgotten: each is refused, none applied again."""

from scenarios.deployment import Deployment
from scenarios.plans import swarm
from scenarios.scenario import Scenario
from scenarios.trading import Trading
from scenarios.workloads import SECOND

scenario = Scenario(
    name="retention_horizon",
    story=__doc__ or "",
    workload=Trading(users=4, operations=(20, 30), again=0.5, again_ns_max=12 * SECOND),
    deployment=Deployment(engines=("engine-1",), settings=(("ubscore", "horizon_ms = 3000"),)),
    plan=swarm,
    sometimes=("late retry expired",),
)
