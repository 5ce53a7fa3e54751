"""The next format version is agreed on, readers first: old and new work together, nothing halts."""

from scenarios.deployment import Deployment
from scenarios.plans import upgrade
from scenarios.scenario import Scenario
from scenarios.trading import Trading
from scenarios.workloads import SECOND

scenario = Scenario(
    name="upgrade",
    story=__doc__ or "",
    workload=Trading(users=8, operations=(60, 80), lasts_ns=9 * SECOND),
    deployment=Deployment(
        gateways=("gateway-1", "gateway-2"),
        cores=("ubscore-1", "ubscore-2"),
        engines=("engine-1",),
        settlements=("settlement-1", "settlement-2"),
        settings=(("ubscore", "snapshot_every = 25"),),
        formats=1,
    ),
    plan=upgrade,
    sometimes=("order refused before the upgrade", "partial fill", "log recovered"),
)
