"""A hunt outlives its workers, and says of which seed each died."""

import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from reports.pages.campaign import Campaign as Figures
from scenarios import catalog
from scenarios.commands import campaigns, hunting
from scenarios.hunt import Campaign, hunt
from scenarios.results import Broken, Result
from tests.scenarios.commanding import children, wavetank

SEEDS = range(5, 13)


def _kill(signum: int) -> Callable[[int], None]:
    return lambda pid: os.kill(pid, signum)


def _take_memory(pid: int) -> None:
    resource.prlimit(pid, resource.RLIMIT_AS, (1 << 20, 1 << 20))


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (_kill(signal.SIGKILL), "was killed (SIGKILL"),
        (_kill(signal.SIGSEGV), "died of SIGSEGV"),
        (_take_memory, "ran out of memory"),
    ],
    ids=["killed", "segfault", "out of memory"],
)
def test_a_worker_that_dies_names_its_seed_and_the_hunt_goes_on(
    harm: Callable[[int], None], says: str
) -> None:
    harmed: list[int] = []

    def once_it_works(campaign: Campaign) -> None:
        if campaign.seeds and not harmed:
            harmed.extend(children())
            harm(harmed[0])

    campaign = hunt("nine_deposits", iter(SEEDS), jobs=1, progress=once_it_works)

    (failure,) = campaign.failures
    assert failure.seed in SEEDS
    assert says in failure.error
    assert campaign.seeds == len(SEEDS), "every seed was run, or is named"
    assert campaign.verdicts == {"held": len(SEEDS) - 1, "unknown": 1}
    assert campaign.died == 1
    assert hunting.code(campaign) == 75


def test_workers_that_all_die_end_the_hunt() -> None:
    campaign = hunt("nine_deposits", iter(range(1000)), jobs=1, arguments=("--no-such-option",))

    assert campaign.seeds == 3
    assert "3 workers in a row ended without an answer" in campaign.hopeless
    assert hunting.code(campaign) == 75


def test_the_command_names_the_seed_and_ends_with_75(tmp_path: Path) -> None:
    what = ("hunt", "nine_deposits", "--seeds", "6", "--jobs", "1", "--runs", str(tmp_path))

    done = wavetank(*what, meanwhile=lambda pid: os.kill(children(pid)[0], signal.SIGKILL))

    assert done.returncode == 75, done.stderr
    assert "5 held, 1 unknown" in done.stdout
    assert "its worker was killed (SIGKILL" in done.stdout
    assert "wavetank run nine_deposits --seed 1" in done.stdout


def _campaign(*results: Result) -> Campaign:
    campaign = Campaign("nine_deposits", 0.0, 1)
    for result in results:
        campaign.add(result)
    return campaign


def _result(seed: int, *broken: str, error: str = "") -> Result:
    return Result(
        scenario="nine_deposits",
        seed=seed,
        verdict="broken" if broken else "unknown" if error else "held",
        digest="",
        breaks=tuple(Broken(invariant, "CODE", f"text of {seed}") for invariant in broken),
        error=error,
    )


SCENARIO = catalog.find("nine_deposits")


def test_failures_are_grouped_by_what_broke_first() -> None:
    campaign = _campaign(
        _result(1), _result(2, "I3", "I1"), _result(3, error="cap"), _result(4, "I3"), _result(5)
    )

    first, second = campaigns.groups(SCENARIO, campaign)

    assert (first.invariant, first.code, first.seeds, first.text) == (
        *("I3", "CODE"),
        (2, 4),
        "text of 2",
    )
    assert first.command == "wavetank run nine_deposits --seed 2"
    assert (second.invariant, second.seeds, second.broken) == ("unknown", (3,), False)


def test_a_campaign_is_kept_as_a_page_and_as_data(tmp_path: Path) -> None:
    campaign = _campaign(_result(1), _result(2, "I3"))
    place = campaigns.room(str(tmp_path), "nine_deposits")
    assert not place.exists()  # a hunt that is killed leaves nothing
    folder, other = campaigns.made(place), campaigns.made(place)

    page = campaigns.write(folder, SCENARIO, campaign, campaigns.groups(SCENARIO, campaign))

    data = msgspec.json.decode((folder / "campaign.json").read_bytes(), type=Figures)
    assert folder != other
    assert data.verdict == "broken"
    assert data.failures[0].seeds == (2,)
    assert "wavetank run nine_deposits --seed 2" in page.read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_workers_die_with_a_hunt_that_is_killed() -> None:
    workers: list[int] = []

    def kill(hunting: int) -> None:
        workers.extend(children(hunting))
        os.kill(hunting, signal.SIGKILL)

    wavetank("hunt", "trading", "--seeds", "1000", "-j", "1", meanwhile=kill)

    assert workers
    for worker in workers:
        assert _ended(worker)


def _ended(pid: int) -> bool:
    """Wait for a process of nobody's to end."""
    for _ in range(600):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("seeds", [0, 1, 2])
def test_a_hunt_of_fewer_seeds_than_its_workers_could_take_ends(seeds: int) -> None:
    assert hunt("nine_deposits", iter(range(seeds)), jobs=2).seeds == seeds


def test_a_hunt_in_which_no_seed_ended_claims_nothing(tmp_path: Path) -> None:
    scenario = catalog.find("chaos_deposits")
    campaign = Campaign("chaos_deposits", time.monotonic(), jobs=2, interrupted=True)

    said = hunting.summary(scenario, campaign)
    page = campaigns.write(tmp_path, scenario, campaign, []).read_text()

    assert said == (
        "\nchaos_deposits: 0 seeds in 0.0 s (0.0 seeds/s on 2 workers): nothing ran - interrupted"
    )
    assert "Nothing was run to its end." in page
    assert "NOT REACHED" not in page
