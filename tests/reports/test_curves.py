"""Curves: counters become rates across restarts, gaps stay gaps, and nothing is made up."""

from reports.curves import charts
from reports.evidence import About, Evidence, Sample

STEP = 250 * 10**6


def sample(
    at: int, name: str, value: float, who: tuple[str, int] = ("ubscore-1", 1), /, **labels: str
) -> Sample:
    process, incarnation = who
    return Sample(
        process=process,
        incarnation=incarnation,
        at_ns=at * STEP,
        name=name,
        labels=labels,
        value=value,
    )


AGAIN = ("ubscore-1", 2)


def evidence(*samples: Sample) -> Evidence:
    about = About(scenario="s", seed=1, token="", stage="simulated", versions={})
    return Evidence(about=about, samples=samples)


def chart(title: str, *samples: Sample) -> dict[str, list[float | None]]:
    (found,) = (one for one in charts(evidence(*samples)) if one.title == title)
    return {curve.name: [value for _, value in curve.points] for curve in found.curves}


def alive(until: int) -> list[Sample]:
    return [sample(at, "up", 1.0, ("clock", at + 1)) for at in range(until)]


def test_a_counter_becomes_a_rate_that_a_restart_does_not_make_negative() -> None:
    drawn = chart(
        "Throughput",
        *alive(7),
        sample(0, "ubscore_commands_total", 2.0, decision="accepted"),
        sample(2, "ubscore_commands_total", 3.0, decision="accepted"),
        sample(1, "ubscore_commands_total", 5.0, decision="rejected"),
        sample(4, "up", 0.0),
        sample(5, "ubscore_commands_total", 1.0, AGAIN, decision="accepted"),
    )

    assert drawn == {"decisions": [8.0, 20.0, 4.0, 0.0, None, 4.0, 0.0]}


def test_gauges_of_partitions_are_added_up_and_a_death_is_a_gap() -> None:
    labels = {"group": "ubscore", "topic": "balance.operations"}
    drawn = chart(
        "Consumer lag",
        *alive(5),
        sample(0, "kafka_consumer_lag_records", 3.0, **labels, partition="0"),
        sample(1, "kafka_consumer_lag_records", 4.0, **labels, partition="1"),
        sample(3, "up", 0.0),
        sample(4, "kafka_consumer_lag_records", 1.0, AGAIN, **labels, partition="0"),
    )

    assert drawn == {"ubscore on balance.operations": [3.0, 7.0, 7.0, None, 1.0]}


def test_a_mean_is_of_what_was_observed_since_the_scrape_before() -> None:
    drawn = chart(
        "Latency, mean",
        *alive(4),
        sample(0, "ubscore_decision_seconds_sum", 0.5),
        sample(0, "ubscore_decision_seconds_count", 5.0),
        sample(2, "ubscore_decision_seconds_sum", 0.9),
        sample(2, "ubscore_decision_seconds_count", 6.0),
    )

    assert drawn["decided"] == [100.0, None, 400.0, None]


def test_nothing_is_drawn_of_a_run_that_was_not_sampled_or_where_nothing_happened() -> None:
    assert charts(evidence()) == []
    assert charts(evidence(*alive(5))) == []
    flat = [sample(at, "ubscore_outbox_records", 0.0) for at in range(4)]
    assert charts(evidence(*flat)) == []
