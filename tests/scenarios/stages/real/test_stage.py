"""Whole runs on real servers: the same verdicts as in the simulated world."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from scenarios import catalog
from scenarios.backends import cql_wire, kinds
from scenarios.backends.base import Backend
from scenarios.scenario import SECOND, Step
from scenarios.stages.real import stage
from sim.faults import AlterRecord, Fault, LoseRecord
from system.records import OUTPUTS
from tests.scenarios.commanding import wavetank

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    if not shutil.which("java") or not shutil.which("mvn"):
        pytest.skip("needs Java 17 and Maven")
    with kinds.make("jvm", tmp_path_factory.mktemp("servers"), 1, 1) as backend:
        yield backend


def test_nine_deposits_reach_the_ledger(backend: Backend, tmp_path: Path) -> None:
    run = stage.run(catalog.find("nine_deposits"), 1, backend, tmp_path)

    assert run.judgement.verdict == "held", run.judgement.unknown
    assert [hop.count for hop in run.judgement.statement.hops] == [9] * 5
    assert run.evidence.about.stage == "real"
    assert not list(tmp_path.rglob("doors.json"))  # a run without faults has no doors


def test_what_a_run_left_reconciles_until_a_row_is_gone(backend: Backend, tmp_path: Path) -> None:
    run = stage.run(catalog.find("nine_deposits"), 2, backend, tmp_path / "live")
    (node,) = backend.nodes
    lost = "user_id = 1002 AND asset_id = 2 AND seq = 1"
    file = tmp_path / "reconcile.toml"
    group = next(c.group for c in run.evidence.commits if c.group.startswith("settlement"))
    file.write_text(
        f'[kafka]\nbootstrap = "{backend.bootstrap}"\ngroup = "{group}"\n[cql]\n'
        f'contact_points = ["{node.address.host}"]\nport = {node.address.port}\n'
    )
    options = ("--config", str(file), "--wal", str(tmp_path / "live" / "ubscore-1" / "data"))

    whole = wavetank("reconcile", *options, "--json", "-")
    with cql_wire.Wire(node.address, timeout_s=20) as wire:
        wire.execute(f"DELETE FROM {backend.keyspace}.balance_ledger WHERE {lost}")
    broken = wavetank("reconcile", *options, "--json", "-")

    assert whole.returncode == 0, whole.stdout + whole.stderr
    read = json.loads(whole.stdout)["read"]
    assert (read["operations"], read["ledger rows"]) == (9, 9)
    assert read["frames"] >= 9
    assert broken.returncode == 1, broken.stdout + broken.stderr
    (row,) = [b for b in json.loads(broken.stdout)["breaks"] if b["code"] == "NOT_SETTLED"]
    assert row["amount"] == "-100000000000000"  # 1,000,000 USDT


def test_a_lost_send_is_caught(backend: Backend, tmp_path: Path) -> None:
    scenario = replace(catalog.find("lost_send"), settles_ns=5 * SECOND)

    run = stage.run(scenario, 1, backend, tmp_path)

    assert run.judgement.verdict == "broken"
    assert "I3" in {found.invariant for found in run.judgement.breaks}


def test_a_torn_append_is_survived_and_its_bytes_are_named(
    backend: Backend, tmp_path: Path
) -> None:
    run = stage.run(catalog.find("torn_append"), 1, backend, tmp_path)

    (receipt,) = run.evidence.faults
    assert run.judgement.verdict == "held", run.judgement.unknown
    assert "bytes written" in str(receipt.effects["torn"])
    assert receipt.damage
    assert receipt.damage[0].length > 0


def test_rot_in_the_log_ends_in_a_halt_that_is_owed(backend: Backend, tmp_path: Path) -> None:
    run = stage.run(catalog.find("rotten_log"), 1, backend, tmp_path)

    assert run.judgement.verdict == "held", run.judgement.unknown
    assert run.judgement.excused


@pytest.mark.parametrize("seed", [1, 3])
def test_chaos_holds(seed: int, backend: Backend, tmp_path: Path) -> None:
    run = stage.run(catalog.find("chaos_deposits"), seed, backend, tmp_path)

    assert run.judgement.verdict == "held", run.judgement.breaks or run.judgement.unknown
    assert any(fault.bites for fault in run.evidence.faults)


@pytest.mark.parametrize("name", ["trading", "two_shards"])
def test_orders_are_reconciled_to_the_last_unit(
    name: str, backend: Backend, tmp_path: Path
) -> None:
    run = stage.run(catalog.find(name), 1, backend, tmp_path)

    assert run.judgement.verdict == "held", run.judgement.breaks or run.judgement.unknown
    trading = run.judgement.statement.trading
    assert trading is not None
    assert all(line.agrees for line in trading.lines)
    assert run.evidence.trades


@pytest.mark.parametrize(
    "fault",
    [
        LoseRecord(OUTPUTS, 4),
        LoseRecord(OUTPUTS, 4, gap=1),
        AlterRecord(OUTPUTS, 3, byte=100, bit=3),
    ],
)
def test_who_reads_the_engine_s_outputs_stops_at_one_that_is_spoiled(
    fault: Fault, backend: Backend, tmp_path: Path
) -> None:
    plan = (Step(lasts=16 * SECOND, fault=fault),)

    run = stage.run(catalog.find("engine_gap"), 5, backend, tmp_path, plan=plan)

    assert run.judgement.verdict == "held", run.judgement.breaks or run.judgement.unknown
    assert [receipt.bites for receipt in run.evidence.faults] == [1]
    halted = {event.process for event in run.evidence.processes if event.kind == "halted"}
    assert {"ubscore-1", "settlement-1", "settlement-2"} <= halted
