"""The comparison over a bench that knows what it can do; nothing is started."""

from collections.abc import Sequence
from typing import cast

import pytest

from scenarios.bench_settled import ROWS, Arm, Bench, Comparison, main
from scenarios.load.settings import Through

CAPACITY = {"topic": 1_000.0, "http": 800.0}


class Known:
    """Settles up to a known rate, and remembers what it was offered."""

    def __init__(self) -> None:
        self.offered: dict[str, list[float]] = {"topic": [], "http": []}

    def bare(self) -> float:
        return 2_500.0

    def burst(self, rate: float, through: Through, instances: Sequence[int] = (1, 1, 1)) -> Arm:
        self.offered[through].append(rate)
        settled = min(rate, CAPACITY[through])
        return Arm(settled, ROWS * settled, {"gateway": 300.0, "kafka": 400.0})


def test_each_way_in_is_offered_more_than_it_settles(capsys: pytest.CaptureFixture[str]) -> None:
    known = Known()
    compared = Comparison(cast(Bench, known))

    for number in range(5):
        compared.turn(backwards=number % 2 == 1)
    compared.show()

    for through, offered in known.offered.items():
        assert all(rate > CAPACITY[through] for rate in offered)
        assert all(rate < 1.5 * CAPACITY[through] for rate in offered)
    shown = capsys.readouterr().out
    assert "| through topic | 2,200 (2,200 to 2,200) | 88 % of the bare client |" in shown
    assert "| through http | 1,760 (1,760 to 1,760) | 80 % of that through topic |" in shown
    assert "| all of these | 700 | 700 |" in shown


def test_nothing_is_shown_of_a_comparison_that_was_cut_off(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Comparison(cast(Bench, Known())).show()

    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("words", [("--rounds", "0"), ("--seconds", "-1"), ("--minutes", "0")])
def test_bounds_that_cannot_be_meant_are_refused(words: tuple[str, str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(words)

    assert left.value.code == 2
