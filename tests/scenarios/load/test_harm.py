from pathlib import Path

import pytest

from scenarios.commands.loading import Harm, settings
from scenarios.errors import UsageError
from scenarios.scenario import SECOND, Step
from sim.faults import Crash, SlowLink
from tests.scenarios.commanding import wavetank


def test_faults_have_their_times_in_order() -> None:
    faults = ("Crash('ubscore-1')", "SlowLink('kafka-1', 20)")

    assert Harm(faults=faults, at_s=(1, 2.5), lasts_s=(1, 4)).steps() == (
        Step(fault=Crash("ubscore-1"), at=SECOND, lasts=SECOND),
        Step(fault=SlowLink("kafka-1", 20), at=2_500_000_000, lasts=4 * SECOND),
    )


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (Harm(faults=("Crash('a')",)), "1 --fault and 0 --at"),
        (Harm(at_s=(1.0,)), "--at and --lasts are about --fault"),
        (Harm(plan="x", faults=("Crash('a')",), at_s=(1.0,)), "exclude each other"),
    ],
)
def test_faults_without_times_are_refused(harm: Harm, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        harm.steps()


def test_faults_of_what_is_not_there_are_refused_before_servers_start(tmp_path: Path) -> None:
    for fault, says in (
        ("AlterRecord('balance.event')", "'balance.event' is not a topic"),
        ("Crash('engine-1')", "'engine-1' is not a program or server"),
    ):
        done = wavetank("load", "--fault", fault, "--at", "1", "--runs", str(tmp_path / "runs"))

        assert done.returncode == 2
        assert says in done.stderr
    assert not (tmp_path / "runs").exists()


GIVEN = {"fixed": False, "duration": 5.0, "warm_up": 1.0, "search": False, "p99": None}
MORE = {"trial": None, "connections": None, "baseline": False}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"rate": 0.0}, "--rate 0: it must be a number above 0"),
        ({"rate": -5.0}, "--rate -5"),
        ({"rate": float("nan")}, "--rate nan"),
        ({"rate": float("inf")}, "--rate inf"),
        ({"duration": 0.0}, "--duration 0"),
        ({"warm_up": -1.0}, "--warm-up -1"),
        ({"search": True}, "--search and --p99 belong together"),
        ({"p99": "200ms"}, "--search and --p99 belong together"),
        ({"search": True, "p99": "200"}, "--p99 200: write a time such as"),
        ({"search": True, "p99": "0ms"}, "--p99 0ms: it must be a number above 0"),
        ({"settlements": 5}, "--settlements 5 share 4 partitions"),
        ({"shards": 5}, "--shards 5 share 4 partitions"),
        ({"through": "topic", "gateways": 2}, "--gateways is about --through http"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(given: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        settings(**{**GIVEN, **MORE, **given})  # type: ignore[arg-type]


def test_a_bound_is_read_in_seconds_or_milliseconds() -> None:
    for text, bound_ms in (("200ms", 200.0), ("1.5s", 1500.0)):
        assert settings(**{**GIVEN, **MORE, "search": True, "p99": text}).bound_ms == bound_ms  # type: ignore[arg-type]
