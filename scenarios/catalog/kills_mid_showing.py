"""Settlement dies while it shows orders and trades; afterwards all of them are shown."""

from scenarios.deployment import Deployment
from scenarios.plans_aimed import kills_mid_showing
from scenarios.scenario import Scenario
from scenarios.trading import Trading

scenario = Scenario(
    name="kills_mid_showing",
    story=__doc__ or "",
    workload=Trading(users=4, operations=(60, 80), impatience=0.0),
    deployment=Deployment(engines=("engine-1",)),
    plan=kills_mid_showing,
    sometimes=("partial fill",),
)
