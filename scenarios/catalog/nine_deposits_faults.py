"""Nine deposits while random faults strike: the smallest story in which anything can go wrong."""

from scenarios.plans import swarm
from scenarios.scenario import Scenario
from scenarios.workloads import SECOND, NineDeposits

scenario = Scenario(
    name="nine_deposits_faults",
    story=__doc__ or "",
    workload=NineDeposits(every_ns=SECOND),
    plan=swarm,
)
