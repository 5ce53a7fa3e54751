"""Snapshots come thick and fast, and processes and hosts die while they are written."""

from scenarios.deployment import Deployment
from scenarios.plans_aimed import snapshots_due
from scenarios.scenario import Scenario
from scenarios.trading import Trading

scenario = Scenario(
    name="snapshots_due",
    story=__doc__ or "",
    workload=Trading(users=4, operations=(40, 60), impatience=0.0),
    deployment=Deployment(
        engines=("engine-1",),
        settings=(("engine", "snapshot_every = 6"), ("ubscore", "snapshot_every = 12")),
    ),
    plan=snapshots_due,
    sometimes=("engine restored from a snapshot", "UBSCore restored from a snapshot"),
)
