"""Nine deposits onto the balances of an earlier day: the table every user of this system knows."""

from scenarios.scenario import Scenario
from scenarios.workloads import NineDeposits

scenario = Scenario(name="writeup", story=__doc__ or "", workload=NineDeposits(opening=True))
