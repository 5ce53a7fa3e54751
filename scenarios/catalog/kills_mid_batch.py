"""Settlement dies while half of a batch is in the database; afterwards no row is missing."""

from scenarios.deployment import Deployment
from scenarios.plans_aimed import kills_mid_batch
from scenarios.scenario import Scenario
from scenarios.trading import Trading

scenario = Scenario(
    name="kills_mid_batch",
    story=__doc__ or "",
    workload=Trading(users=4, operations=(40, 60), impatience=0.0),
    deployment=Deployment(engines=("engine-1",)),
    plan=kills_mid_batch,
    sometimes=("group rebalanced",),
)
