"""More is asked for than a gateway takes: it says so, loses nothing, and does all of it later."""

from scenarios.deployment import Deployment
from scenarios.plans import swarm
from scenarios.scenario import Scenario
from scenarios.trading import Trading
from scenarios.workloads import SECOND

scenario = Scenario(
    name="overload",
    story=__doc__ or "",
    workload=Trading(users=12, operations=(80, 120), lasts_ns=2 * SECOND, clients=4),
    deployment=Deployment(engines=("engine-1",), settings=(("gateway", "in_flight_max = 3"),)),
    plan=swarm,
    sometimes=("refused under overload",),
)
