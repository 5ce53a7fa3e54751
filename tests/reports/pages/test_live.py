"""Pages of a reconciled deployment."""

import json

from reports.pages import live
from tests.reports.build import lively, nine
from tests.reports.live.memory import Memory
from tests.reports.pages.test_pages import fetches_nothing


def test_a_sound_deployment_says_so_with_its_totals() -> None:
    outcome = Memory(lively()).reconcile()

    text = live.summary(outcome, "kafka:9092")
    content = json.loads(live.as_json(outcome, "kafka:9092"))
    page = live.page(outcome, "kafka:9092")

    assert text.startswith("✓ HELD  kafka:9092 as of 2023-11-14")
    assert "= but 2 rejected" in text
    assert content["verdict"] == "held"
    assert content["hops"][3]["hop"] == "ledger rows"
    assert content["conservation"][0]["held"] == content["conservation"][0]["owed"]
    assert "<title>HELD: kafka:9092" in page
    fetches_nothing(page)


def test_breaks_and_work_on_its_way_are_on_every_page() -> None:
    build = nine()
    build.transfer("transfer_in", 1001, 1, 5 * 10**8, reach=2)
    del build.rows[1]
    memory = Memory(build)
    memory.age_ms = 5_000

    outcome = memory.reconcile()

    for text in (live.summary(outcome, "k"), live.page(outcome, "k")):
        assert "NOT_SETTLED" in text
        assert "+5.00000000" in text
        assert "5.0 s" in text
    fetches_nothing(live.page(outcome, "k"))
    tables = live.csv_files(outcome)
    assert b"NOT_SETTLED" in tables["breaks.csv"]
    assert b"operations topic,decisions log,1,+5.00000000,BTC" in tables["in_flight.csv"]
    content = json.loads(live.as_json(outcome, "k"))
    assert content["in_flight"][0]["sums"] == {"BTC": str(5 * 10**8)}
    assert content["breaks"][0]["amount"]
