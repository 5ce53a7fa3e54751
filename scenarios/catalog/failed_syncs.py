"""A sync of the log fails, and power goes soon afterwards: what was told outside is still there."""

from scenarios.plans_aimed import failed_syncs
from scenarios.scenario import Scenario
from scenarios.workloads import SECOND, RandomTransfers

scenario = Scenario(
    name="failed_syncs",
    story=__doc__ or "",
    workload=RandomTransfers(users=8, operations=(240, 280), lasts_ns=12 * SECOND),
    plan=failed_syncs,
    sometimes=("log recovered",),
)
