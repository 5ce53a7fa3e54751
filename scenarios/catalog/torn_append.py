"""UBSCore is killed half-way through an append to its log, and must come back whole."""

from scenarios.plans import torn_append
from scenarios.scenario import Scenario
from scenarios.workloads import MILLISECOND, NineDeposits

scenario = Scenario(
    name="torn_append",
    story=__doc__ or "",
    workload=NineDeposits(every_ns=200 * MILLISECOND),  # apart: not all in one append
    plan=torn_append,
    sometimes=("torn log tail",),
)
