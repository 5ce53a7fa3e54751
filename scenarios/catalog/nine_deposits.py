"""Three users deposit BTC, USDT and ETH; all nine must reach the ledger, to the last unit."""

from scenarios.scenario import Scenario
from scenarios.workloads import NineDeposits

scenario = Scenario(name="nine_deposits", story=__doc__ or "", workload=NineDeposits())
