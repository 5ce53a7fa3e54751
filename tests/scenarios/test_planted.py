"""``wavetank controls``: which bugs are chosen, what a row says, and on which seeds it rests."""

from collections.abc import Iterator
from typing import Any

import pytest

from scenarios import catalog, controls
from scenarios.commands import planted
from scenarios.errors import Infrastructure, UsageError
from scenarios.hunt import Campaign
from scenarios.results import Broken, Result


class Hunt:
    """A hunt in which the seeds named break an invariant of `lost_send`, and all others hold."""

    def __init__(self, broken: dict[int, str], interrupted_after: int = 10**9) -> None:
        self.broken = broken
        self.interrupted_after = interrupted_after
        self.hunted: list[tuple[str, list[int]]] = []

    def __call__(
        self, name: str, seeds: Iterator[int], *, keep_results: list[Result] | None = None, **_: Any
    ) -> Campaign:
        """Play seeds until there are no more, or it is interrupted."""
        campaign = Campaign(name, 0.0, 1)
        self.hunted.append((name, []))
        for seed in seeds:
            if len(self.hunted[-1][1]) == self.interrupted_after:
                campaign.interrupted = True
                break
            self.hunted[-1][1].append(seed)
            result = self._play(name, seed)
            campaign.add(result)
            if keep_results is not None:
                keep_results.append(result)
        return campaign

    def _play(self, name: str, seed: int) -> Result:
        found = self.broken.get(seed) if name == "lost_send" else None
        if found is None:
            return Result(scenario=name, seed=seed, verdict="held", digest="")
        breaks = (Broken(found, "X", "x"),)
        return Result(scenario=name, seed=seed, verdict="broken", digest="", breaks=breaks)


def test_a_mistyped_name_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(UsageError, match="did you mean 'k4_lost_send'"):
        planted.chosen(("k4_lost_sent",))


@pytest.mark.parametrize("name", controls.names())
def test_every_bug_is_planted_into_a_story_that_is_played_without_it(name: str) -> None:
    assert planted.story_of(catalog.find(name)) in catalog.names()


def test_a_bug_named_twice_is_planted_once_and_none_means_all() -> None:
    assert planted.chosen(("lost_send", "lost_send")) == ["lost_send"]
    assert len(planted.chosen(())) > 30


def test_a_row_counts_the_seeds_until_an_expected_invariant_broke_and_the_sound_system_gets_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = planted.seeds_of(20, 0), planted.seeds_of(20, 1)
    hunt = Hunt({first[1]: "I9", first[4]: "I3", second[0]: "I3"})
    monkeypatch.setattr(planted, "hunt", hunt)

    assert planted.table(20, 2, ("lost_send",), 1) == 0

    out = capsys.readouterr().out
    assert "lost_send  I3          3, 5" in out
    assert "sound system, nine_deposits, the same seeds: 6 held" in out
    assert hunt.hunted[-1] == ("nine_deposits", [*first[:5], second[0]])


def test_a_bug_that_nobody_catches_is_named_and_ends_in_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(planted, "hunt", Hunt({planted.seeds_of(5, 0)[0]: "I9"}))

    assert planted.table(5, 1, ("lost_send",), 1) == 1
    assert "NOT CAUGHT within 5 seeds: lost_send" in capsys.readouterr().out


def test_an_interrupted_table_says_how_far_it_came(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(planted, "hunt", Hunt({}, interrupted_after=2))

    with pytest.raises(KeyboardInterrupt):
        planted.table(5, 1, ("lost_send",), 1)
    assert "interrupted: 0 of 1 controls are above" in capsys.readouterr().out


def test_workers_that_all_die_say_nothing_about_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    def hopeless(*_: object, **__: object) -> Campaign:
        return Campaign("lost_send", 0.0, 1, hopeless="3 workers in a row ended")

    monkeypatch.setattr(planted, "hunt", hopeless)

    with pytest.raises(Infrastructure):
        planted.first_catch("lost_send", 5, 0, 1)
