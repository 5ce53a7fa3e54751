from typing import Any

import msgspec
import pytest

from reports.load import Band, Counts, Latency, Load, Machine, Slice, Usage, Whole
from reports.pages import load as pages
from reports.pages import plot


def stage(name: str, rate_s: float) -> Latency:
    return Latency(
        name=name,
        meaning="",
        count=100,
        rate_s=rate_s,
        p50_ms=1,
        p90_ms=2,
        p99_ms=3,
        p999_ms=4,
        max_ms=5,
    )


def load(rates: tuple[float, float, float, float] = (100, 100, 100, 100), **more: Any) -> Load:
    names = ("sent", "acknowledged", "decided", "settled")
    made = Load(
        name="load",
        verdict="held",
        servers="embedded",
        command="wavetank load",
        through="http",
        spacing="poisson",
        rate=100,
        seed=1,
        users=10,
        instances={"gateway": 2},
        warm_up_s=1,
        measured_s=10,
        offered_s=100,
        settled_s=rates[-1],
        rows_s=2 * rates[-1],
        whole=Whole(lasts_s=10, requests_s=100, rows_s=200),
        counts=Counts(sent=1, acknowledged=1, refused=0, unknown=0, settled=1, answers={"202": 1}),
        latencies=tuple(map(stage, names, rates)),
        slices=(Slice(at_s=0, offered=100, settled=90, p50_ms=1, p99_ms=2),),
        usage=(Usage(name="gateway-1", cpu_s=1), Usage(name="gateway-2", cpu_s=2)),
    )
    return msgspec.structs.replace(made, **more)


def test_a_load_that_kept_up_has_no_limit() -> None:
    assert pages.limit(load()) == ""


@pytest.mark.parametrize(
    ("rates", "says"),
    [
        ((50, 50, 50, 50), "before the load generator itself"),
        ((100, 50, 50, 50), "for the gateway"),
        ((100, 99, 50, 50), "for UBSCore"),
        ((100, 99, 98, 50), "for Settlement"),
        ((97, 94, 90, 87), "at no stage alone"),
    ],
)
def test_the_first_stage_that_falls_behind_is_where_requests_queued(
    rates: tuple[float, float, float, float], says: str
) -> None:
    assert says in pages.limit(load(rates))


def test_a_busy_machine_is_told_and_a_fault_is_no_limit() -> None:
    behind = load((100, 50, 50, 50), machine=Machine(cores=2, busy=0.99))
    band = Band(fault="Crash('ubscore-1')", from_s=1, to_s=2, effects="processes killed: 1")

    assert pages.limit(behind).endswith("all cores of the machine were busy")
    assert pages.limit(load((100, 50, 50, 50), bands=(band,))) == ""


def test_programs_of_a_name_are_one_stage() -> None:
    _, gateway, all_of_these = pages.usage_rows(load())

    assert gateway == ["gateway", "3.0", "30 %", "3000"]
    assert all_of_these[0] == "all of these"


def test_faults_are_numbered_in_the_plot_where_there_is_room() -> None:
    at = (0.1, 0.1001, 0.9, None)
    bands = tuple(Band(fault="Pause()", from_s=s, to_s=s, effects="bit nothing") for s in at)
    drawn = plot.draw(load(bands=bands))

    assert [f">{n}</text>" in drawn for n in (1, 2, 3, 4)] == [True, False, True, False]


def test_the_page_holds_plot_tables_faults_and_what_was_not_tested() -> None:
    band = Band(fault="Crash('ubscore-1')", from_s=1, to_s=2, effects="processes killed: 1")
    page = pages.page(load(bands=(band,), untested=("Throttle(): no counterpart",)), "folder")

    for part in ("<svg", "Where the time goes", "p99.9", "processes killed: 1", "Not tested: Thro"):
        assert part in page


def test_nothing_measured_is_said_so() -> None:
    assert "all of it   nothing" in pages.summary(load(whole=None), "")
