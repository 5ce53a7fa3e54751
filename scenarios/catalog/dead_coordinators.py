"""Settlement dies and so does a node that had statements of it; afterwards no row is missing."""

from scenarios.deployment import Deployment
from scenarios.plans_aimed import dead_coordinators
from scenarios.scenario import Scenario
from scenarios.trading import Trading
from scenarios.workloads import SECOND

scenario = Scenario(
    name="dead_coordinators",
    story=__doc__ or "",
    workload=Trading(users=4, operations=(110, 140), lasts_ns=16 * SECOND, impatience=0.0),
    deployment=Deployment(
        engines=("engine-1",),
        settings=(("settlement", "session_timeout_ms = 6000\ngather_ms = 300"),),
    ),
    plan=dead_coordinators,
)
