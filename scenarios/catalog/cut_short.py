"""Nodes of the database die as they carry out what waited for them; no row is missing."""

from scenarios.deployment import Deployment
from scenarios.plans_aimed import cut_short
from scenarios.scenario import Scenario
from scenarios.workloads import SECOND, RandomTransfers

scenario = Scenario(
    name="cut_short",
    story=__doc__ or "",
    workload=RandomTransfers(users=8, operations=(320, 360), lasts_ns=17 * SECOND),
    deployment=Deployment(settings=(("settlement", "gather_ms = 1000"),)),
    plan=cut_short,
)
