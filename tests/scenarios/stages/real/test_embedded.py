"""A whole run on servers of ours: real processes, real ports, the simulated world's verdict."""

from pathlib import Path

from scenarios import catalog
from scenarios.backends import kinds
from scenarios.stages.real import stage


def test_nine_deposits_reach_the_ledger(tmp_path: Path) -> None:
    with kinds.make("embedded", tmp_path / "servers", 1, 1) as backend:
        run = stage.run(catalog.find("nine_deposits"), 1, backend, tmp_path / "live")

    assert run.judgement.verdict == "held", run.judgement.breaks or run.judgement.unknown
    assert [hop.count for hop in run.judgement.statement.hops] == [9] * 5
    assert run.evidence.about.stage == "real"
    assert "embedded" in run.evidence.about.servers
    assert not list(tmp_path.rglob("doors.json"))  # a run without faults has no doors
