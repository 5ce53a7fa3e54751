"""Orders are cancelled just as they are filled: one of the two wins, and both sides know which."""

from scenarios.deployment import Deployment
from scenarios.plans import races
from scenarios.scenario import Scenario
from scenarios.trading import Trading

scenario = Scenario(
    name="cancel_races_fill",
    story=__doc__ or "",
    workload=Trading(users=4, style="race", impatience=0.1),
    deployment=Deployment(engines=("engine-1",)),
    plan=races,
    sometimes=("cancel lost the race", "cancel took the rest", "partial fill"),
)
