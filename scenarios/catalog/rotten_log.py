"""A bit flips below the durable frontier of the log: UBSCore must halt and say so, not repair."""

from scenarios.plans import rotten_log
from scenarios.scenario import Scenario
from scenarios.workloads import SECOND, NineDeposits

scenario = Scenario(
    name="rotten_log",
    story=__doc__ or "",
    workload=NineDeposits(every_ns=SECOND // 4),
    plan=rotten_log,
)
