"""Sampled runs: the same run as any other, with what Prometheus would have seen beside it."""

import pytest

from reports import curves
from reports.evidence import Sample
from scenarios import catalog
from scenarios.stages import simulated
from scenarios.stages.simulated import Run


@pytest.fixture(scope="module")
def sampled() -> Run:
    return simulated.run(catalog.find("torn_append"), 4, sampled=True)


def last(run: Run, name: str, **labels: str) -> dict[tuple[str, int], float]:
    """The last value of a series in each incarnation."""
    return {
        (one.process, one.incarnation): one.value
        for one in run.evidence.samples
        if one.name == name and one.labels == labels
    }


def test_sampling_changes_no_run(sampled: Run) -> None:
    plain = simulated.run(catalog.find("torn_append"), 4)

    assert plain.result.digest == sampled.result.digest
    assert plain.evidence.samples == ()
    assert {one.process for one in sampled.evidence.samples} == {
        "gateway-1",
        "settlement-1",
        "ubscore-1",
    }


def test_what_was_sampled_agrees_with_the_evidence(sampled: Run) -> None:
    rows = last(sampled, "settlement_end_to_end_seconds_count", topic="balance.events")
    answered = [a for op in sampled.evidence.operations for a in op.attempts if a.status == 202]
    (accepted,) = last(
        sampled, "gateway_requests_total", method="POST", route="transfer_in", status="202"
    ).values()

    assert sum(rows.values()) == len(sampled.evidence.rows) == 9
    assert accepted == len(answered)


def test_who_died_was_seen_to_be_down_and_up_again(sampled: Run) -> None:
    crashed = {e.incarnation for e in sampled.evidence.processes if e.kind == "crashed"}
    seen = [
        (one.incarnation, one.value)
        for one in sampled.evidence.samples
        if (one.process, one.name) == ("ubscore-1", "up")
    ]

    ended = {incarnation for incarnation, value in seen if not value}
    assert ended <= crashed
    assert ended
    assert len({incarnation for incarnation, value in seen if value}) > 1


def test_equal_runs_have_equal_samples(sampled: Run) -> None:
    again = simulated.run(catalog.find("torn_append"), 4, sampled=True)

    assert again.evidence.samples == sampled.evidence.samples


def test_charts_are_made_of_it(sampled: Run) -> None:
    titles = [chart.title for chart in curves.charts(sampled.evidence)]

    assert {"Consumer lag", "Throughput", "Latency, mean"} <= set(titles)
    assert "Book depth" not in titles  # nobody matches orders here
    assert all(isinstance(one, Sample) for one in sampled.evidence.samples)
