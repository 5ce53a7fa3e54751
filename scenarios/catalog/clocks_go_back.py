"""Clocks go back and programs restart meanwhile; no number and no key is used a second time."""

from scenarios.deployment import Deployment
from scenarios.plans_aimed import clocks_go_back
from scenarios.scenario import Scenario
from scenarios.trading import Trading

scenario = Scenario(
    name="clocks_go_back",
    story=__doc__ or "",
    workload=Trading(users=4, operations=(40, 60), again=0.3, again_ns_max=4_000_000_000),
    deployment=Deployment(engines=("engine-1",)),
    plan=clocks_go_back,
    sometimes=("log recovered", "retry answered again"),
)
