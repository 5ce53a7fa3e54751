"""Statements to the database are lost, and answers of it; no row is missing or there twice."""

from scenarios.plans_aimed import lost_statements
from scenarios.scenario import Scenario
from scenarios.workloads import RandomTransfers

scenario = Scenario(
    name="lost_statements",
    story=__doc__ or "",
    workload=RandomTransfers(operations=(90, 130)),
    plan=lost_statements,
    sometimes=("read repair", "retry answered again"),
)
