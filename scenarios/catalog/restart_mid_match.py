"""The engine dies between matching, publishing and its snapshot; no number gets two contents."""

from scenarios.deployment import Deployment
from scenarios.plans import restarts_mid_match
from scenarios.scenario import Scenario
from scenarios.trading import Trading

scenario = Scenario(
    name="restart_mid_match",
    story=__doc__ or "",
    workload=Trading(users=4, operations=(40, 60), impatience=0.0),
    deployment=Deployment(
        engines=("engine-1",),
        settings=(("engine", "snapshot_every = 6"), ("ubscore", "snapshot_every = 25")),
    ),
    plan=restarts_mid_match,
    sometimes=(
        "engine restored from a snapshot",
        "UBSCore restored from a snapshot",
        "partial fill",
    ),
)
