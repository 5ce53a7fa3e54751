"""Events are lost on their way to Kafka, or answers on the way back; each counts once."""

from scenarios.plans_aimed import failed_deliveries
from scenarios.scenario import Scenario
from scenarios.workloads import SECOND, RandomTransfers

scenario = Scenario(
    name="failed_deliveries",
    story=__doc__ or "",
    workload=RandomTransfers(operations=(60, 90), lasts_ns=10 * SECOND),
    plan=failed_deliveries,
    sometimes=("delivery failed and sent again", "event published twice"),
)
