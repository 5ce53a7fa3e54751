"""Four shards of UBSCore are killed 25 times each while transfers go on; nothing may be lost."""

from scenarios.deployment import Deployment, Restarts
from scenarios.kills import kills
from scenarios.scenario import MILLISECOND, SECOND, Scenario
from scenarios.workloads import RandomTransfers

_SOON = 20 * MILLISECOND

scenario = Scenario(
    name="kill_campaign",
    story=__doc__ or "",
    workload=RandomTransfers(users=16, operations=(500, 600), lasts_ns=60 * SECOND),
    plan=kills(25, every_ms=2400),
    deployment=Deployment(
        cores=("ubscore-1", "ubscore-2", "ubscore-3", "ubscore-4"),
        restarts=Restarts(delay_ns=_SOON, delay_ns_max=_SOON),
    ),
    sometimes=(
        "torn log tail",
        "crash between fsync and publish",
        "event published twice",
        "log recovered",
    ),
)
