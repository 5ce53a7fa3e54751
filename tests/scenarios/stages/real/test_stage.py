"""Whole runs on real servers: the same verdicts as in the simulated world."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from scenarios import catalog
from scenarios.backends import kinds
from scenarios.backends.base import Backend
from scenarios.scenario import SECOND
from scenarios.stages.real import stage

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
