"""Deployments: several shards and an engine run like the small one, and tell what they did."""

from dataclasses import replace

from reports.journal import Journal
from scenarios import catalog
from scenarios.deployment import Deployment
from scenarios.stages import simulated

LARGE = Deployment(cores=("ubscore-1", "ubscore-2"), engines=("engine-1",))


def test_nine_deposits_reach_the_ledger_through_two_shards() -> None:
    scenario = replace(catalog.find("nine_deposits"), deployment=LARGE)

    run = simulated.run(scenario, 1)

    assert run.result.verdict == "held", run.result.breaks
    journals = [Journal(log.shard, log.files) for log in run.evidence.logs]
    decided = [len(journal.decisions) for journal in journals]
    assert sum(decided) == 9
    assert all(decided)
    assert {r.process for r in run.evidence.restarts} == {"ubscore-1", "ubscore-2"}
    assert {p.process for p in run.evidence.processes} >= {"engine-1"}
