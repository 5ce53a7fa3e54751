"""A node misses writes, and those who know of them die as well; nobody is shown the past."""

from scenarios.plans_aimed import missed_writes
from scenarios.scenario import Scenario
from scenarios.workloads import SECOND, RandomTransfers

scenario = Scenario(
    name="missed_writes",
    story=__doc__ or "",
    workload=RandomTransfers(users=12, operations=(110, 150), lasts_ns=10 * SECOND, reads=0.8),
    plan=missed_writes,
    sometimes=("read repair", "retry answered again"),
)
