"""Waivers: what they cover does not count, until they expire; useless ones are said."""

import datetime as dt
import re
import textwrap
from pathlib import Path

from reports.live.waivers import Waiver, Waivers, waive
from reports.pages import live
from system import config
from tests.reports.build import nine
from tests.reports.live.memory import Memory

DOCUMENT = Path(__file__).parents[3] / "reports/README.md"
TODAY = dt.date(2023, 11, 14)  # of the built histories


def waiver(code: str, key: str, expires: dt.date = TODAY) -> Waiver:
    return Waiver(code=code, key=key, owner="ledger team", reason="known", expires=expires)


def lost_row() -> Memory:
    build = nine()
    del build.rows[0]
    return Memory(build)


def test_a_waived_break_is_shown_and_does_not_fail() -> None:
    found = lost_row().reconcile().breaks
    waivers = [waiver(b.code, b.where.replace("[", "?")) for b in found]

    outcome = lost_row().reconcile(*waivers)

    assert outcome.verdict == "held"
    assert len(outcome.waived.breaks) == len(found) > 0
    assert "waived: R NOT_SETTLED" in live.summary(outcome, "here")


def test_an_expired_waiver_is_said_and_its_break_counts_again() -> None:
    late = waiver("*", "*", TODAY - dt.timedelta(days=1))

    outcome = lost_row().reconcile(late)

    assert outcome.verdict == "broken"
    ((said, count),) = outcome.waived.expired
    assert said is late
    assert count == len(outcome.breaks)
    assert "expired waiver" in live.summary(outcome, "here")


def test_an_unused_waiver_is_said() -> None:
    unused = waiver("STUCK", "user 7*")

    outcome = Memory(nine()).reconcile(unused)

    assert outcome.verdict == "held"
    assert outcome.waived.unused == (unused,)
    assert "unused waiver: STUCK" in live.summary(outcome, "here")


def test_a_waiver_matches_by_place_account_or_request() -> None:
    (row, *_) = [b for b in lost_row().reconcile().breaks if b.code == "NOT_SETTLED"]

    for key in (row.request_id, row.where, "user 1001 *", f"*{row.request_id[-6:]}"):
        counting, waived = waive([row], [waiver("NOT_*", key)], TODAY)
        assert not counting
        assert waived.breaks
    counting, _ = waive([row], [waiver("STUCK", "*")], TODAY)
    assert counting == [row]


def test_the_example_in_the_document_covers_what_it_is_about() -> None:
    blocks = re.findall(r"(?:^ {4}.*\n)+", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    (example,) = [block for block in blocks if "[[waiver]]" in block]
    (one,) = config.parse(Waivers, textwrap.dedent(example), "reports/README.md", {}).waiver
    build = nine()
    row = next(row for row in build.rows if row.user_id == 1002)
    build.rows.remove(row)

    counting, waived = waive(Memory(build).reconcile().breaks, [one], TODAY)

    assert [broken.code for broken, _ in waived.breaks] == ["NOT_SETTLED"]
    assert "NOT_SETTLED" not in {broken.code for broken in counting}


def test_times_of_breaks_count_back_from_the_cut() -> None:
    outcome = lost_row().reconcile()
    (lost,) = [line for line in live.summary(outcome, "here").splitlines() if "has no row" in line]

    assert "before the cut" in lost
    assert "at -" not in lost
