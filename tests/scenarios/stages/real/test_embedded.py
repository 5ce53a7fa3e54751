"""Whole runs on servers of ours: real processes, real ports, the simulated world's verdict."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from scenarios import catalog
from scenarios.backends import kinds
from scenarios.backends.base import Backend
from scenarios.deployment import READY
from scenarios.load import reconciled
from scenarios.scenario import SECOND, Scenario, Step
from scenarios.stages.real import stage
from scenarios.trading import Trading
from sim.faults import Crash
from system.records import OUTPUTS


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    with kinds.make("embedded", tmp_path_factory.mktemp("servers"), 1, 1) as backend:
        yield backend


def test_nine_deposits_reach_the_ledger(backend: Backend, tmp_path: Path) -> None:
    run = stage.run(catalog.find("nine_deposits"), 1, backend, tmp_path / "live")

    assert run.judgement.verdict == "held", run.judgement.breaks or run.judgement.unknown
    assert [hop.count for hop in run.judgement.statement.hops] == [9] * 5
    assert run.evidence.about.stage == "real"
    assert "embedded" in run.evidence.about.servers
    assert not list(tmp_path.rglob("doors.json"))  # a run without faults has no doors
    first = min(op.invoked_ns for op in run.evidence.operations)
    working = {
        line.process
        for line in run.evidence.lines
        if line.at_ns <= first and f'"event":"{READY[line.process.partition("-")[0]]}"' in line.text
    }
    assert working == {"ubscore-1", "settlement-1", "gateway-1"}  # nobody was asked before


def test_orders_are_filled_though_the_engine_dies_after_it_published(
    backend: Backend, tmp_path: Path
) -> None:
    scenario = short()
    moment = scenario.deployment.moment("engine", "outputs.produce", 4, part=1.0)
    plan = (Step(on=moment, lasts=1, fault=Crash("engine-1")),)

    run = stage.run(scenario, 3, backend, tmp_path / "live", plan=plan)

    evidence = run.evidence
    assert run.judgement.verdict == "held", run.judgement.breaks or run.judgement.unknown
    assert [fault.bites for fault in evidence.faults] == [1]
    assert evidence.outputs
    assert evidence.trades
    assert len(evidence.sides) == 2 * len(evidence.trades)
    assert {one.process for one in evidence.samples} == set(scenario.deployment.programs)
    assert "engine_trades_total" in {one.name for one in evidence.samples}
    published = [record.value for record in evidence.records if record.topic == OUTPUTS]
    assert len(set(published)) == len(evidence.outputs)  # again, perhaps, but never otherwise
    assert {log.shard for log in evidence.logs} == {1}
    data = tmp_path / "live/ubscore-1/data"
    assert len(evidence.logs[0].files) > len(list(data.glob("*.log")))  # snapshots have cut it

    group = next(c.group for c in evidence.commits if c.group.startswith("settlement"))
    live = reconciled.outcome(backend, group, backend.keyspace, [data], 60)
    assert live.verdict == "held", [str(found) for found in live.breaks]
    assert live.reads["outputs"] >= len(evidence.outputs)
    assert not reconciled.on_its_way(live)


def short() -> Scenario:
    """Trade for a second, once all deposits have had two to arrive; snapshots every ten frames."""
    whole = catalog.find("restart_mid_match")
    told = (("engine", "snapshot_every = 6"), ("ubscore", "snapshot_every = 10"))
    workload = Trading(
        users=3,
        operations=(16, 16),
        lasts_ns=5 * SECOND,
        funding_ns=4 * SECOND,
        style="race",
        impatience=0.0,
        again=0.0,
    )
    deployment = replace(whole.deployment, settings=told)
    return replace(whole, workload=workload, deployment=deployment, settles_ns=20 * SECOND)
