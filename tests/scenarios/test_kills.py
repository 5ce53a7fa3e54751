"""Plans that kill again and again, and what is counted of them."""

import random
import time
from collections import Counter
from dataclasses import replace

from reports.pages.campaign import Campaign as Figures
from reports.pages.campaign import page
from scenarios import catalog
from scenarios.commands import hunting
from scenarios.commands.hunting_real import Bound
from scenarios.hunt import Campaign
from scenarios.kills import AT_RANDOM, kills
from scenarios.results import Result
from scenarios.scenario import Scenario, Step  # noqa: F401 - repr is source text
from scenarios.stages import simulated
from scenarios.workloads import RandomTransfers
from sim.faults import Crash
from sim.moments import Moment  # noqa: F401

SCENARIO = catalog.find("kill_campaign")


def killed(seed: int, times: int) -> Result:
    return Result(
        scenario=SCENARIO.name,
        seed=seed,
        verdict="held",
        digest="",
        killed={AT_RANDOM: times, "before wal.fsync": 1},
        killed_starting=1,
        rows=3,
        moved={1: 10**8},
    )


def test_every_shard_is_killed_as_often_half_of_it_at_random_times() -> None:
    plan = SCENARIO.draw(random.Random(1))

    assert eval(repr(plan)) == plan
    assert Counter(step.fault for step in plan) == {
        Crash(core): 25 for core in SCENARIO.deployment.cores
    }
    assert sum(step.on is None for step in plan) == 12 * len(SCENARIO.deployment.cores)
    assert all(step.on is None or step.on.process == step.fault.targets[0] for step in plan)


def test_kills_are_counted_by_moment_and_by_whether_the_program_was_ready() -> None:
    scenario = replace(
        SCENARIO,
        workload=RandomTransfers(operations=(30, 30)),
        plan=kills(6, every_ms=1200),
        deployment=replace(SCENARIO.deployment, cores=("ubscore-1",)),
    )

    result = simulated.run(scenario, 1).result

    assert result.verdict == "held"
    assert result.killed[AT_RANDOM] == 3
    assert 4 <= sum(result.killed.values()) <= 6
    assert 0 <= result.killed_starting < sum(result.killed.values())
    assert 0 < result.rows <= result.operations == 30
    assert sum(result.moved.values()) > 0


def test_a_campaign_adds_them_up_and_shows_them() -> None:
    campaign = Campaign(SCENARIO.name, time.monotonic(), 1, servers="--kind embedded")
    campaign.add(killed(1, 10))
    campaign.add(killed(2, 20))

    text = hunting.summary(SCENARIO, campaign)

    assert "32 programs killed, 2 of them before they were ready" in text
    assert "6 ledger rows reconciled: 2.00000000 BTC" in text
    assert "on the real stage, --kind embedded" in text
    figures = Figures(
        scenario=SCENARIO.name,
        seeds=2,
        jobs=1,
        real_s=1.0,
        virtual_ns=0,
        verdicts={"held": 2},
        killed=dict(campaign.killed),
        killed_starting=campaign.killed_starting,
        rows=campaign.rows,
        moved=dict(campaign.moved),
        servers=campaign.servers,
    )
    html = page(figures)
    assert "32 programs were killed" in html
    assert f"<td>{AT_RANDOM}</td>" in html
    assert "2.00000000 BTC" in html


def test_a_hunt_for_kills_goes_on_until_there_are_enough() -> None:
    campaign = Campaign(SCENARIO.name, time.monotonic(), 1)
    bound = Bound(first=7, kills=20)
    seeds = bound.order()

    campaign.add(killed(next(seeds), 15))
    assert not bound.reached(campaign)
    campaign.add(killed(next(seeds), 15))
    assert bound.reached(campaign)
    assert list(Bound(first=7, seeds=2).order()) == [7, 8]
    assert not Bound(seeds=2).reached(campaign)
