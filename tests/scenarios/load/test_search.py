from hypothesis import given
from hypothesis import strategies as st

from scenarios.load.search import Search


def searched(start: float, capacity: float) -> tuple[Search, int]:
    search, trials = Search(rate=start), 0
    while search.rate is not None:
        search.tried(held=search.rate <= capacity)
        trials += 1
        assert trials < 60
    return search, trials


@given(st.floats(1, 10_000), st.floats(1, 1_000_000))
def test_the_capacity_is_found_closely(start: float, capacity: float) -> None:
    search, _ = searched(start, capacity)

    if search.held:
        assert search.held <= capacity <= search.failed
        assert search.failed / search.held <= search.closeness
    else:
        assert capacity < 2  # below it nobody looks


def test_a_dozen_trials_are_enough_for_a_start_that_is_not_far_off() -> None:
    _, trials = searched(200, 1700)

    assert trials <= 9


def test_a_system_that_holds_nothing_ends_the_search() -> None:
    search, _ = searched(100, 0)

    assert search.held == 0
