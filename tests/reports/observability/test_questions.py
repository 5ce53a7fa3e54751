"""Dashboard and alert rules ask for nothing that nobody tells, the dashboard for all of it."""

import re

import pytest

from reports.observability import catalogue
from reports.observability.alerts import ALERTS, Alert
from reports.observability.asking import Query
from reports.observability.dashboard import dashboard
from reports.observability.panels import LAG, ROWS
from tests.reports.observability import questions

SERIES = {**catalogue.series(), **questions.OWN}
PANELS = [panel for row in ROWS for panel in row.panels]
QUERIES = [query for panel in PANELS for query in panel.queries]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.expression[:60])
def test_the_dashboard_asks_for_what_exists(query: Query) -> None:
    assert questions.unknown(query.expression, SERIES) == []
    named = set(re.findall(r"\{\{(\w+)\}\}", query.legend))
    assert named <= (questions.kept(query.expression) or set())


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_alert_rules_ask_for_what_exists(alert: Alert) -> None:
    assert questions.unknown(alert.expression, SERIES) == []
    named = set(re.findall(r"\$labels\.(\w+)", alert.summary + alert.meaning))
    kept = questions.kept(alert.expression)
    told = [SERIES[name] for name in questions.names(alert.expression)]
    assert named <= (frozenset.union(*told) | questions.GIVEN if kept is None else kept)
    assert alert.severity in ("page", "ticket")
    assert re.fullmatch("[0-9]+[mh]", alert.lasts)


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [
        ("sum(rate(ubscore_command_total[5m]))", ["no metric ubscore_command_total"]),
        ('engine_book_orders{side="buy"}', ["engine_book_orders has no label side"]),
        ("sum by (reason) (engine_book_orders)", ["engine_book_orders has no label reason"]),
        ("up + on (job) (gateway_publish_seconds)", ["no metric gateway_publish_seconds"]),
    ],
)
def test_what_does_not_exist_is_found(expression: str, wrong: list[str]) -> None:
    assert questions.unknown(expression, SERIES) == wrong


def test_every_metric_is_on_the_dashboard() -> None:
    asked = {name for query in QUERIES for name in questions.names(query.expression)}
    stems = {re.sub("_(bucket|sum|count)$", "", name) for name in asked}
    told = {one.name for metrics in catalogue.described().values() for one in metrics}

    assert told - stems - asked == set()


def test_lag_by_group_topic_and_partition_comes_first() -> None:
    heading, first, *_ = dashboard()["panels"]

    assert (heading["type"], heading["title"]) == ("row", LAG.title)
    (target,) = first["targets"]
    assert questions.kept(target["expr"]) == {"group", "topic", "partition"}
    assert questions.names(target["expr"]) == {"kafka_consumer_lag_records"}
    assert first["gridPos"]["y"] == 1


def test_panels_do_not_overlap_and_are_told_apart() -> None:
    panels = dashboard()["panels"]

    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["datasource"]["uid"] == "wavetank" for panel in panels if "targets" in panel)


def test_a_panel_has_no_more_questions_than_letters() -> None:
    assert all(0 < len(panel.queries) <= 8 for panel in PANELS)
