"""A reconciliation as metrics: what an alert asks for is what was found."""

from msgspec.structs import replace

from reports.live.measures import Measures
from tests.reports.build import Build
from tests.reports.live.memory import Memory
from tests.reports.live.traded import Traded
from tests.reports.trading import day


def deposited() -> Build:
    build = Build()
    build.transfer("transfer_in", 1001, 1, 500)
    build.transfer("transfer_in", 1002, 2, 70)
    return build


def test_a_sound_deployment_has_no_difference() -> None:
    told = Measures(Memory(deposited()).reconcile())

    sample = told.registry.get_sample_value
    assert sample("reconcile_verdict", {"verdict": "held"}) == 1
    assert sample("reconcile_verdict", {"verdict": "broken"}) == 0
    assert sample("reconcile_conservation_difference", {"asset": "BTC"}) == 0
    assert sample("reconcile_timestamp_seconds") > 10**9  # type: ignore[operator]
    assert "reconcile_breaks{" not in told.text().decode()


def test_what_the_ledger_has_too_much_is_told_by_asset_and_code() -> None:
    build = deposited()
    build.rows[0] = replace(build.rows[0], delta_avail=503, avail=503)

    outcome = Memory(build).reconcile()

    sample = Measures(outcome).registry.get_sample_value
    assert sample("reconcile_verdict", {"verdict": "broken"}) == 1
    assert sample("reconcile_conservation_difference", {"asset": "BTC"}) == 3
    assert sample("reconcile_conservation_difference", {"asset": "USDT"}) == 0
    assert sample("reconcile_breaks", {"code": "NOT_CONSERVED"}) == 1


def test_what_only_orders_pass_is_told_as_well() -> None:
    outcome = Traded(day(), settled_outputs={}).reconcile()

    sample = Measures(outcome).registry.get_sample_value
    hops = {f"{step.before} -> {step.after}" for step in outcome.steps}
    assert "engine outputs -> tables of trades and orders" in hops
    for hop in hops:
        waits = 8 if hop.endswith("tables of trades and orders") else 0
        assert sample("reconcile_on_its_way_effects", {"hop": hop}) == waits
