"""Deposits and withdrawals by impatient users while everything that can fail fails."""

from scenarios.plans import swarm
from scenarios.scenario import Scenario
from scenarios.workloads import RandomTransfers

scenario = Scenario(
    name="chaos_deposits",
    story=__doc__ or "",
    workload=RandomTransfers(),
    plan=swarm,
    sometimes=(
        "torn log tail",
        "crash between fsync and publish",
        "event published twice",
        "retry answered again",
        "withdrawal rejected",
        "read repair",
        "group rebalanced",
        "delivery failed and sent again",
        "hint replayed",
        "log recovered",
    ),
)
