from hypothesis import given
from hypothesis import strategies as st

from scenarios.load import figures, reconciled
from scenarios.load.figures import Window
from scenarios.load.samples import OK, REFUSED, Samples
from scenarios.load.settings import SECOND

MILLISECOND = 10**6


def sampled(*requests: tuple[int, int]) -> Samples:
    """Return samples of (intended, took) in milliseconds; a negative `took` never settles."""
    samples = Samples()
    for intended, took in requests:
        number = samples.begin(f"r{len(samples)}", intended * MILLISECOND, intended * MILLISECOND)
        samples.answer[number], samples.rows[number] = OK, 2
        samples.acknowledged[number] = (intended + 1) * MILLISECOND
        if took >= 0:
            samples.decided[number] = (intended + 1) * MILLISECOND
            samples.settled[number] = (intended + took) * MILLISECOND
    return samples


def test_latency_counts_from_the_intended_time_though_sending_was_late() -> None:
    samples = sampled((100, 500))

    found = {each.name: each for each in figures.latencies(samples, Window(0, SECOND))}

    assert abs(found["settled"].p50_ms - 500) <= 1


@given(st.lists(st.tuples(st.integers(0, 4_999), st.integers(1, 3_000)), max_size=60))
def test_slices_hold_every_request_once(requests: list[tuple[int, int]]) -> None:
    slices = figures.slices(sampled(*requests), 0, 8 * SECOND)

    assert sum(each.offered for each in slices) == len(requests)
    assert sum(each.settled for each in slices) == len(requests)


def test_rates_are_of_what_settled_within_the_window() -> None:
    samples = sampled((0, 900), (500, 600), (1000, 900), (1500, 5000))

    assert figures.settled(samples, Window(SECOND, 2 * SECOND)) == (2.0, 4.0)
    assert figures.offered(samples, Window(SECOND, 2 * SECOND)) == 2.0


def test_a_trial_holds_only_if_all_of_it_settled_at_its_rate_and_in_time() -> None:
    steady = [(at, 50) for at in range(0, 2000, 10)]
    window = Window(0, 2 * SECOND)

    assert figures.trial(sampled(*steady), window, 100, 200).held
    assert "above the bound" in figures.trial(sampled(*steady), window, 100, 20).why
    assert (
        "1 of 201 did not settle"
        in figures.trial(sampled(*steady, (1000, -1)), window, 100, 200).why
    )
    late = [(at, 50 if at < 1000 else 3000) for at in range(0, 2000, 10)]
    assert "settled of" in figures.trial(sampled(*late), window, 100, 9000).why


def test_an_acknowledged_request_that_never_settled_is_a_break() -> None:
    samples = sampled((0, 10), (0, -1), (0, -1))
    samples.decided[2] = SECOND

    assert [(b.code, b.request_id) for b in reconciled.missing(samples)] == [
        ("NOT_DECIDED", "r1"),
        ("NOT_SETTLED", "r2"),
    ]


def test_nobody_is_owed_what_was_refused_or_never_answered() -> None:
    samples = sampled((0, -1), (0, -1))
    samples.answer[0], samples.answer[1] = REFUSED, 0

    assert reconciled.missing(samples) == []


def test_breaks_beyond_a_hundred_are_summed_up() -> None:
    found = reconciled.missing(sampled(*[(0, -1)] * 130))

    assert len(found) == 101
    assert found[-1].where == "30 more requests"
