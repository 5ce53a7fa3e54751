"""Two shards of UBSCore share one engine: each fill moves money on both, and all of it arrives."""

from scenarios.deployment import Deployment
from scenarios.plans import swarm
from scenarios.scenario import Scenario
from scenarios.trading import Trading

scenario = Scenario(
    name="two_shards",
    story=__doc__ or "",
    workload=Trading(users=8),
    deployment=Deployment(cores=("ubscore-1", "ubscore-2"), engines=("engine-1",)),
    plan=swarm,
    sometimes=("partial fill", "cancel took the rest", "output published twice"),
)
