"""A gateway dies while Kafka is away; whoever was told "accepted" was told the truth."""

from scenarios.plans_aimed import unsent_answers
from scenarios.scenario import Scenario
from scenarios.workloads import RandomTransfers

scenario = Scenario(
    name="unsent_answers",
    story=__doc__ or "",
    workload=RandomTransfers(users=8, operations=(90, 130)),
    plan=unsent_answers,
    sometimes=("retry answered again",),
)
