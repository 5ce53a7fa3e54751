"""``wavetank controls --stage real``: which rows are made, kept, gone on with and called right."""

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from scenarios.commands import hunting_real, planted_real, promising, real_rows
from scenarios.commands.planted_real import Asked
from scenarios.commands.promising import Promising
from scenarios.commands.real import Wish
from scenarios.commands.real_rows import Measured, Row, Rows
from scenarios.errors import Infrastructure, UsageError
from scenarios.hunt import Campaign
from scenarios.results import Broken, Result

ABOUT = Measured(
    commit="0123456789",
    source="89abcdef",
    python="3.11.7",
    servers="embedded, 3 of each (ours 1)",
    wished="--kind embedded --nodes 3",
    seeds=200,
    attempts=5,
    sound=3,
)
CAUGHT = Row(
    name="lost_send",
    kind="control",
    planted_in="nine_deposits",
    simulated="I3, seed 1",
    real="I3",
    runs=("7 (3/3)",),
    right=True,
    seconds=9,
)


def plan(seed: int, *hangs_on: str, caught: int = 0) -> Promising:
    return Promising(number=1, seed=seed, by="I3", caught=caught, tries=3, hangs_on=hangs_on)


class Stage:
    """Real runs that break an invariant, hold, or come to no verdict, as told one after another."""

    def __init__(self, *ends: str) -> None:
        self.ends = list(ends)

    def __call__(self, scenario: Any, seed: int, *_: Any) -> Result:
        end = self.ends.pop(0)
        made = Result(scenario=scenario.name, seed=seed, verdict="held", digest="")
        if end == "held":
            return made
        if end.startswith("I"):
            breaks = (Broken(end, "X", "x"),)
            return msgspec.structs.replace(made, verdict="broken", breaks=breaks)
        return msgspec.structs.replace(made, verdict="unknown", error=end)


def player(monkeypatch: pytest.MonkeyPatch, stage: Stage, plans: tuple[Promising, ...] = ()) -> Any:
    class Search:
        tried = plans

        def __init__(self, *_: Any) -> None:
            pass

        def __iter__(self) -> Any:
            return (each for each in plans if each.possible)

    def hunted(name: str, seeds: Any, **_: Any) -> Campaign:
        campaign = Campaign(name, 0.0, 1)
        for seed in seeds:
            campaign.add(Result(scenario=name, seed=seed, verdict="held", digest=""))
        return campaign

    monkeypatch.setattr(promising, "Search", Search)
    monkeypatch.setattr(planted_real, "hunt", hunted)
    monkeypatch.setattr(hunting_real, "play", stage)
    backend = SimpleNamespace(brokers=(), nodes=())
    asked = Asked(seeds=20, attempts=3, sound=2, jobs=1)
    return planted_real._Player(asked, "runs", Wish(), cast("Any", backend))


def test_a_bug_is_played_until_a_run_catches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    plans = (plan(7, caught=3), plan(8, caught=1))

    row = player(monkeypatch, Stage("held", "I3"), plans).play("lost_send")

    assert (row.real, row.runs, row.right) == ("I3", ("7 (3/3)", "8 (1/3)"), True)
    assert (row.planted_in, row.simulated) == ("nine_deposits", "I3, seed 1")


def test_another_invariant_than_the_expected_is_no_catch(monkeypatch: pytest.MonkeyPatch) -> None:
    row = player(monkeypatch, Stage("I9", "I9", "I9"), (plan(7, caught=3),)).play("lost_send")

    assert (row.real, len(row.runs), row.right) == ("NOT CAUGHT", 3, False)


def test_a_bug_that_hangs_on_faults_without_counterpart_says_on_which(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plans = (plan(7, "PowerLoss: kafka-1 is no program"),)

    row = player(monkeypatch, Stage(), plans).play("lost_send")

    assert row.real == "no counterpart: PowerLoss: kafka-1 is no program"
    assert (row.runs, row.right) == ((), True)


def test_a_run_without_a_verdict_is_made_again_and_three_are_trouble(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plans = (plan(7, caught=3),)

    assert player(monkeypatch, Stage("kafka-1 died", "I3"), plans).play("lost_send").right
    with pytest.raises(Infrastructure, match="3 times: kafka-1 died"):
        player(monkeypatch, Stage(*["kafka-1 died"] * 3), plans).play("lost_send")


def test_a_story_must_hold_with_all_its_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    held = player(monkeypatch, Stage("held", "held")).play("nine_deposits")
    broken = player(monkeypatch, Stage("held", "I3")).play("nine_deposits")

    assert (held.simulated, held.real, held.right) == ("2 of 2 held", "2 of 2 held", True)
    assert (broken.real, broken.right) == ("1 of 2 held", False)


def test_what_stands_is_not_played_again(tmp_path: Path) -> None:
    Rows(str(tmp_path), ABOUT).keep(CAUGHT)

    again = Rows(str(tmp_path), ABOUT)

    assert again.find("lost_send") == CAUGHT
    assert planted_real._row("lost_send", again, cast("Any", None)) == CAUGHT


@pytest.mark.parametrize(
    "other", [{"source": "00000000"}, {"wished": "--kind jvm --nodes 1"}, {"attempts": 2}]
)
def test_rows_of_other_sources_servers_or_numbers_stand_elsewhere(
    other: dict[str, Any], tmp_path: Path
) -> None:
    Rows(str(tmp_path), ABOUT).keep(CAUGHT)

    elsewhere = Rows(str(tmp_path), msgspec.structs.replace(ABOUT, **other))

    assert elsewhere.find("lost_send") is None


def test_the_table_says_where_it_was_measured_and_what_is_missing(tmp_path: Path) -> None:
    rows = Rows(str(tmp_path), ABOUT)
    rows.keep(CAUGHT)

    page = rows.write(("lost_send", "k4_lost_send"))

    text = page.read_text()
    assert "commit 0123456789, source 89abcdef, Python 3.11.7" in text
    assert "1 of 1 bugs caught for real, 0 of 0 stories held. Not all yet: 1 of 2 rows." in text
    assert "| `lost_send` | `nine_deposits` | I3, seed 1 | I3 | 1 |" in text
    assert "lost_send,control,nine_deposits" in page.with_suffix(".csv").read_text()
    table = msgspec.json.decode(page.with_suffix(".json").read_bytes())
    assert (table["of"], table["measured"]["seeds"], len(table["rows"])) == (2, 200, 1)


def test_a_bug_without_a_counterpart_does_not_count_as_tested() -> None:
    lacking = msgspec.structs.replace(CAUGHT, real="no counterpart: why", runs=())

    text = real_rows.markdown(ABOUT, [CAUGHT, lacking], 2)

    assert "1 of 1 bugs caught for real, 1 have no counterpart, 0 of 0 stories held." in text


def test_a_place_where_nothing_can_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "controls-real").write_text("a file")

    with pytest.raises(Infrastructure, match="name another place with --runs"):
        Rows(str(tmp_path), ABOUT)


def test_a_mistyped_name_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(UsageError, match="did you mean 'nine_deposits'"):
        planted_real.chosen(("nine_deposit",))


def test_no_name_means_every_bug_and_every_story() -> None:
    names = planted_real.chosen(())

    assert {"lost_send", "nine_deposits"} <= set(names)
    assert planted_real.chosen(("nine_deposits", "lost_send")) == ["lost_send", "nine_deposits"]


def test_sources_outside_a_repository_have_no_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_git(*_: Any, **__: Any) -> Any:
        raise FileNotFoundError("git")

    monkeypatch.setattr(subprocess, "run", no_git)

    assert real_rows.measured("ours", "--kind embedded --nodes 1", 1, 1, 1).commit == ""
