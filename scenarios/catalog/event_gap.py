"""An event is lost after Kafka took it: who would have read it stops and says where."""

from scenarios.deployment import Deployment
from scenarios.plans_aimed import event_gap
from scenarios.scenario import Scenario
from scenarios.workloads import SECOND, RandomTransfers

scenario = Scenario(
    name="event_gap",
    story=__doc__ or "",
    workload=RandomTransfers(operations=(60, 80)),
    deployment=Deployment(
        settlements=("settlement-1", "settlement-2"),
        settings=(("settlement", "hole_ms_max = 300"),),
    ),
    plan=event_gap,
    settles_ns=20 * SECOND,
)
