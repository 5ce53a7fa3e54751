"""A few users trade, cancel and withdraw while everything that can fail fails."""

from scenarios.deployment import Deployment
from scenarios.plans import trading
from scenarios.scenario import Scenario
from scenarios.trading import Trading

scenario = Scenario(
    name="trading",
    story=__doc__ or "",
    workload=Trading(),
    deployment=Deployment(engines=("engine-1",)),
    plan=trading,
    sometimes=(
        "partial fill",
        "self-trade prevented",
        "cancel lost the race",
        "cancel took the rest",
        "IOC rest cancelled",
        "price improvement released",
        "order rejected",
        "output published twice",
        "event published twice",
        "retry answered again",
    ),
)
