"""The pages: self-contained, escaped, complete, and the same bytes every time."""

import csv
import io
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import msgspec
import pytest

from reports.breaks import Break, Check
from reports.evidence import Damage, FaultReceipt, LogLine, OwedHalt
from reports.judge import Judgement, judge
from reports.pages import campaign, formats, html, tables, text
from reports.pages.campaign import Campaign, Failures
from tests.reports.build import MS, Build, lively, log_files, nine
from tests.reports.trading import day

EVIL = "<script>alert('x')</script>&\"'"
VOID = frozenset(("meta", "input", "line", "rect", "circle", "path", "br"))

change = msgspec.structs.replace


def evil() -> Build:
    """Hostile text wherever text can come from outside."""
    build = nine(reach=4)
    build.about = {"story": EVIL, "scenario": EVIL, "token": EVIL, "command": EVIL}
    build.operations[0] = change(build.operations[0], client=EVIL)
    build.happens("ubscore-1", "halted", code=70, reason=EVIL, detail=EVIL)
    build.happens(EVIL, "started")
    damage = Damage(
        shard=1, at_ns=1, file=EVIL, offset=0, length=9, kind=EVIL, decidable=True, found=b"<b>"
    )
    build.faults.append(
        FaultReceipt(
            fault=EVIL, kind=EVIL, targets=(EVIL,), entered_ns=1, bites=1, damage=(damage,)
        )
    )
    build.lines.append(LogLine(at_ns=1, process=EVIL, incarnation=1, level="info", text=EVIL))
    build.owed.append(OwedHalt(process="nobody", reason="*", because=EVIL))
    return build


class Balanced(HTMLParser):
    """Fails on a tag that is not closed in order; collects what could be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [f"{tag} {name}" for name, _ in attrs if name in ("src", "href", "data")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def fetches_nothing(page: str) -> None:
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    assert parser.fetched == []
    assert re.findall(r"(?:https?:)?//[a-z]|@import|url\(", page) == []


@pytest.mark.parametrize("build", [nine(), nine(reach=3), nine(reach=1), lively(), Build(), evil()])
def test_every_report_is_one_well_formed_file_that_fetches_nothing(build: Build) -> None:
    fetches_nothing(html.page(judge(build.evidence()), folder="runs/x"))


def test_values_are_escaped_wherever_they_come_from() -> None:
    page = html.page(judge(evil().evidence()))
    assert "alert(" in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_the_report_of_a_lost_send_shows_where_the_money_went() -> None:
    page = html.page(judge(nine(reach=3).evidence()))
    assert "9 x not published -30,000.00000000 BTC" in page
    assert 'class="dropped"' in page
    assert "ubscore never went down afterwards" in page


def test_long_tables_are_cut_and_say_so() -> None:
    build = Build()
    for _ in range(html.ROWS_SHOWN + 20):
        build.transfer("transfer_in", 1001, 1, 1)
    page = html.page(judge(build.evidence()))
    assert f"Showing {html.ROWS_SHOWN} of {html.ROWS_SHOWN + 20} rows" in page
    assert "csv/ledger.csv" in page


def test_a_row_of_the_ledger_is_held_against_the_changes_of_both_balances() -> None:
    one = day()
    frozen = next(row for row in one.rows if row.frozen)
    wrong = change(frozen, frozen=frozen.frozen + 1)
    one.rows = [wrong if row is frozen else row for row in one.rows]
    table = tables.ledger(judge(one.evidence()).case)

    broken = table[table["chain"] == "BROKEN"]
    assert list(broken["seq"]) == [frozen.seq]
    assert set(table["chain"]) == {"ok", "BROKEN"}
    debits = table[table["type"] == "trade_debit"]
    assert set(debits["delta avail"]) == {""}
    assert all(delta.startswith("-") for delta in debits["delta frozen"])


def test_torn_bytes_are_shown_in_hexadecimal() -> None:
    build = nine()
    torn = {name: data + b"torn!" for name, data in log_files(build.bodies).items()}
    evidence = build.evidence()
    page = html.page(judge(change(evidence, logs=(change(evidence.logs[0], files=torn),))))
    assert "5 torn bytes at the end of wal-00000001" in page
    assert "74 6f 72 6e 21" in page


def test_the_text_page_is_one_screen_and_ends_in_commands() -> None:
    screen = text.summary(judge(nine(reach=3).evidence()), folder="runs/x")
    lines = screen.splitlines()
    assert len(lines) <= 40
    assert lines[0].startswith("✗ BROKEN")
    assert any("✗ 9 NOT_PUBLISHED" in line for line in lines)
    assert "promised  transfer_in" in screen
    assert [line.split()[0] for line in lines[-3:]] == ["again", "replay", "look"]


def test_a_broken_promise_about_an_order_says_what_was_asked_for() -> None:
    one = day()
    order = next(op for op in one.operations if op.kind == "place_order")
    one.rows = [row for row in one.rows if row.ref_id != order.order_id]
    parts = dict(text.story(judge(one.evidence())))
    assert parts["promised"].startswith(
        f"place_order {order.request_id}, user {order.user_id}, loc"
    )
    assert parts["because"]


def test_a_break_says_only_what_it_knows() -> None:
    judgement = judge(nine().evidence())
    bare = Break(invariant="I1", code="X", where="here", amount=5 * 10**8, asset_id=1)
    check = Check(invariant="I1", promise="p", checked=1, breaks=(bare,))
    broken = change(judgement, checks=(check,))
    assert text.story(broken) == [
        ("owed", "I1: p"),
        ("but", "here\n+5.00000000 BTC"),
        ("because", "not known"),
    ]


def test_a_screen_stays_a_screen_whatever_breaks() -> None:
    screen = text.summary(judge(evil().evidence()), folder="runs/x")
    assert len(screen.splitlines()) <= 60


def test_every_break_is_in_the_csv_and_the_json() -> None:
    judgement = judge(nine(reach=3).evidence())
    rows = list(csv.DictReader(io.StringIO(tables.csv_files(judgement)["breaks.csv"].decode())))
    assert len(rows) == len(judgement.breaks)
    assert rows[-1]["cause"].startswith("lost between log and events topic")
    content = msgspec.json.decode(formats.as_json(judgement))
    assert content["verdict"] == "broken"
    assert len(content["breaks"]) == len(judgement.breaks)
    assert content["hops"][0]["sums"]["BTC"] == str(3 * 10**12)


def test_junit_has_a_case_for_each_invariant_and_fails_the_broken_ones() -> None:
    judgement = judge(change(evil().evidence(), unreadable=("\x00",)))
    suite = ET.fromstring(formats.as_junit(judgement)).find("testsuite")
    assert suite is not None
    failed = {
        case.get("name", "").split()[0]
        for case in suite.iter()
        if case.find("failure") is not None and case.tag == "testcase"
    }
    assert failed == {c.invariant for c in judgement.checks if c.breaks}
    assert len(suite.findall("testcase")) == len(judgement.checks)


def test_pages_are_the_same_bytes_every_time() -> None:
    def render(judgement: Judgement) -> tuple[object, ...]:
        return (
            html.page(judgement),
            text.summary(judgement),
            formats.as_json(judgement),
            formats.as_junit(judgement),
            tables.csv_files(judgement),
        )

    assert render(judge(lively().evidence())) == render(judge(lively().evidence()))


def test_the_timeline_marks_crashes_faults_and_who_they_hit() -> None:
    build = nine()
    build.happens("ubscore-1", "crashed", code=-9)
    build.happens("ubscore-1", "started", incarnation=2)
    build.faults.append(
        FaultReceipt(
            fault="Crash('ubscore-1')",
            kind="Crash",
            targets=("ubscore-1",),
            entered_ns=build.now - MS,
            left_ns=build.now,
            bites=1,
        )
    )
    page = html.page(judge(build.evidence()))
    assert page.count('class="crash"') == 1
    assert page.count('class="band bit"') == 1
    assert page.count('class="op ok"') == 9


def test_the_campaign_page_names_what_was_never_tested() -> None:
    found = Campaign(
        scenario=EVIL,
        seeds=100,
        jobs=2,
        real_s=4.0,
        virtual_ns=10**12,
        verdicts={"held": 98, "broken": 2},
        planned={"Crash": 50, "DiskFull": 20},
        bitten={"Crash": 44},
        sometimes=("torn tail", "crash between fsync and publish"),
        reached={"torn tail": 3},
        failures=(
            Failures(
                invariant="I3",
                code="ACK_LOST",
                text=EVIL,
                seeds=(41, 7),
                command="wavetank run chaos --seed 7",
            ),
        ),
    )
    page = campaign.page(found)
    fetches_nothing(page)
    assert "<script>alert" not in page
    assert "never bit" in page
    assert "NOT REACHED" in page
    assert "first 7" in page
    assert found.verdict == "broken"
