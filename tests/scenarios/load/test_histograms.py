from hypothesis import given
from hypothesis import strategies as st

from scenarios.load import histograms

latencies_ns = st.lists(st.integers(1_000, 3_600_000_000_000), min_size=1, max_size=200)


@given(latencies_ns)
def test_percentiles_are_those_of_the_values_to_three_digits(values: list[int]) -> None:
    found = histograms.latency("settled", "", histograms.histogram(values))
    ordered = sorted(values)

    assert found.count == len(values)
    for percentile, ms in ((50, found.p50_ms), (99, found.p99_ms)):
        exact = ordered[max(-(-len(values) * percentile // 100), 1) - 1] / 1e6
        assert abs(ms - exact) <= 0.0011 * exact + 0.001
    assert abs(found.max_ms - ordered[-1] / 1e6) <= 0.0011 * found.max_ms + 0.001


def test_what_is_longer_than_an_hour_counts_as_an_hour_and_nothing_is_dropped() -> None:
    made = histograms.histogram([10**18, 0])

    assert made.get_total_count() == 2


def test_a_stage_that_nothing_came_to_has_no_latency() -> None:
    assert histograms.latency("settled", "", histograms.histogram([])).count == 0


def test_the_distribution_can_be_read_by_plotters() -> None:
    text = histograms.percentile_distribution(histograms.histogram([5_000_000] * 10)).decode()

    assert text.lstrip().startswith("Value     Percentile TotalCount 1/(1-Percentile)")
    assert "TotalCount     =       10.000]" in text
