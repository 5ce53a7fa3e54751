"""Every fault has a counterpart on the real stage, or a reason why it has none."""

from dataclasses import replace
from pathlib import Path

import pytest

from scenarios import catalog
from scenarios.backends.base import Ability
from scenarios.backends.remote import Remote, Servers, read
from scenarios.deployment import Deployment
from scenarios.redeploy import Redeploy
from scenarios.scenario import Step
from scenarios.stages.real.counterpart import Setting
from scenarios.stages.real.counterparts import COUNTERPARTS, lacking
from scenarios.stages.real.town import RealTown
from sim import faults
from sim.faults import (
    AlterRecord,
    ClockStep,
    Crash,
    Cut,
    DiskError,
    Fault,
    Isolate,
    Pause,
    PowerLoss,
    ShrinkIsr,
    Throttle,
)
from sim.moments import Moment
from system.records import EVENTS


def servers(count: int) -> Servers:
    numbers = range(1, count + 1)
    told = {
        ("kafka", "bootstrap"): ",".join(f"127.0.0.1:{n}" for n in numbers),
        ("scylla", "contact_points"): [f"127.0.0.{n}" for n in numbers],
    }
    return read(None, told, {})


class Ours(Remote):
    """Servers to which everything can be done; none of them runs."""

    abilities = frozenset(Ability)


def setting(backend: type[Remote] = Ours) -> Setting:
    return Setting.of(Deployment(), backend(servers(3)))


def test_the_table_is_complete() -> None:
    kinds = {
        each
        for name in faults.__all__
        if isinstance(each := getattr(faults, name), type)
        and issubclass(each, Fault)
        and each is not Fault
    }

    assert set(COUNTERPARTS) == {*kinds, Redeploy}
    assert all(counterpart.how and counterpart.reach for counterpart in COUNTERPARTS.values())


@pytest.mark.parametrize(
    "fault",
    [
        Crash("ubscore-1"),
        PowerLoss("ubscore-1"),
        Crash("kafka-2"),
        Pause("scylla-3"),
        Cut("gateway-1", "kafka-1"),
        Isolate(("scylla-1",)),
        Throttle("kafka-3", 300),
        DiskError("ubscore-1", "os.fsync", "EIO"),
        Redeploy(("settlement-1", "gateway-1"), 2),
        AlterRecord(EVENTS, stale=1),
        ShrinkIsr(EVENTS),
    ],
)
def test_what_can_be_done_lacks_nothing(fault: Fault) -> None:
    assert lacking(Step(fault=fault), setting()) == ""


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (PowerLoss("kafka-1"), "only programs have doors"),
        (Crash("kafka-4"), "called kafka-4"),
        (Cut("kafka-1", "kafka-2"), "between servers"),
        (ClockStep("kafka-1", 5), "only programs have doors"),
        (DiskError("scylla-1", "os.fsync", "EIO"), "only programs have doors"),
    ],
)
def test_what_cannot_be_done_says_why(fault: Fault, why: str) -> None:
    assert why in lacking(Step(fault=fault), setting())


def test_somebody_else_s_servers_cannot_be_killed() -> None:
    assert "nobody can do that to a server of kind remote" in lacking(
        Step(fault=Crash("kafka-1")), setting(Remote)
    )


def test_nothing_is_put_before_somebody_else_s_servers() -> None:
    for fault in (Cut("gateway-1", "kafka-1"), AlterRecord(EVENTS), ShrinkIsr(EVENTS)):
        assert "others run" in lacking(Step(fault=fault), setting(Remote))


def test_a_moment_of_a_server_has_no_door() -> None:
    moment = Moment("kafka-1", "os.write")

    assert "no program" in lacking(Step(fault=Crash("ubscore-1"), on=moment), setting())


def test_the_plan_is_the_simulated_world_s_and_what_is_untested_is_kept(tmp_path: Path) -> None:
    scenario = catalog.find("chaos_deposits")
    backend = Ours(servers(3))

    made = RealTown(scenario, backend, tmp_path, seed=3)

    from scenarios.stages.town import Town  # noqa: PLC0415

    with Town(scenario, 3) as simulated:
        drawn = scenario.draw(simulated.world.kernel.stream("plan"))
    assert sorted(map(repr, drawn)) == sorted(
        map(repr, (*made.plan, *(step for step, _ in made.untested)))
    )
    assert replace(scenario) == scenario
