import random
from itertools import islice, pairwise

from hypothesis import given
from hypothesis import strategies as st

from scenarios.load.arrivals import SECOND, Spacing, arrivals

rates = st.floats(min_value=0.5, max_value=100_000)
spacings: st.SearchStrategy[Spacing] = st.sampled_from(("fixed", "poisson"))


@given(rates, spacings, st.integers())
def test_times_never_go_back(rate: float, spacing: Spacing, seed: int) -> None:
    times = list(islice(arrivals(rate, spacing, random.Random(seed)), 200))

    assert times[0] >= 0
    assert all(before <= after for before, after in pairwise(times))


@given(rates, spacings, st.integers())
def test_the_same_seed_gives_the_same_schedule(rate: float, spacing: Spacing, seed: int) -> None:
    first = list(islice(arrivals(rate, spacing, random.Random(seed)), 50))

    assert first == list(islice(arrivals(rate, spacing, random.Random(seed)), 50))


@given(rates)
def test_fixed_times_do_not_drift(rate: float) -> None:
    (last,) = islice(arrivals(rate, "fixed", random.Random(1)), 10_000, 10_001)

    assert abs(last - 10_000 * SECOND / rate) <= 1


def test_poisson_keeps_its_rate_and_clusters() -> None:
    times = list(islice(arrivals(1000, "poisson", random.Random(1)), 20_000))
    gaps = [after - before for before, after in pairwise(times)]

    assert 19.5 < times[-1] / SECOND < 20.5
    below = sum(gap < SECOND / 1000 for gap in gaps) / len(gaps)
    assert 0.60 < below < 0.66  # 1 - 1/e of exponential gaps are shorter than their mean
