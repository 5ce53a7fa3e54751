"""A batch is refused for lack of replicas while the next is on its way: order and count stay."""

from scenarios.deployment import Deployment
from scenarios.plans_aimed import refused_batches
from scenarios.scenario import Scenario
from scenarios.workloads import SECOND, RandomTransfers

scenario = Scenario(
    name="refused_batches",
    story=__doc__ or "",
    workload=RandomTransfers(users=2, operations=(150, 200), lasts_ns=6 * SECOND),
    deployment=Deployment(settings=(("settlement", "hole_ms_max = 1500"),)),
    plan=refused_batches,
)
