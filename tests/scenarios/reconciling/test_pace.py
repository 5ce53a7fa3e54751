"""The pace: over any while, no more than the rate, and no slower than that."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from scenarios.reconciling.pace import Pace
from scenarios.reconciling.tables import token_ranges


@given(
    st.floats(1, 10_000),
    st.lists(st.tuples(st.floats(0, 2), st.integers(1, 2_000)), min_size=1, max_size=30),
)
def test_what_was_read_never_exceeds_the_rate(rate: float, reads: list[tuple[float, int]]) -> None:
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    pace = Pace(rate, now_s=lambda: clock[0], sleep_s=sleep)
    total = 0
    for pause_s, count in reads:
        clock[0] += pause_s
        pace.take(count)
        total += count

        assert total <= rate * clock[0] + rate / 10 + 1e-6 * total

    slowest = sum(pause_s for pause_s, _ in reads) + total / rate
    assert clock[0] <= slowest + 1e-6


@given(st.integers(1, 500))
def test_ranges_of_tokens_cover_the_ring_once(count: int) -> None:
    ranges = token_ranges(count)

    assert ranges[0][0] == -(2**63)
    assert ranges[-1][1] == 2**63 - 1
    assert all(before[1] == after[0] for before, after in pairwise(ranges))
    assert len(ranges) == count
