"""UBSCore always has more to do: each batch is decided while the log is synced for the last one."""

from scenarios.deployment import Deployment
from scenarios.plans import swarm
from scenarios.scenario import Scenario
from scenarios.trading import Trading

scenario = Scenario(
    name="full_batches",
    story=__doc__ or "",
    workload=Trading(),
    deployment=Deployment(
        engines=("engine-1",),
        settings=(("ubscore", "batch = 1\nsnapshot_every = 50\nfile_bytes = 8192"),),
    ),
    plan=swarm,
    sometimes=(
        "crash between fsync and publish",
        "event published twice",
        "UBSCore restored from a snapshot",
    ),
)
